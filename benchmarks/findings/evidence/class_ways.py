"""Ways to make one number of several classes, as the code behind published BraTS results does.

Every way takes one patient's sums after another, so that a mean over patients and a value pooled
over all their voxels come from the same masks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sums:
    """Sums over voxels, an entry a class, the background first: of both, of each alone."""

    both: np.ndarray
    found: np.ndarray
    truth: np.ndarray

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.both + other.both, self.found + other.found, self.truth + other.truth)

    @property
    def dice(self) -> np.ndarray:
        """Return each class's Dice, 1 where it is neither found nor there."""
        return _ratio(2 * self.both, self.found + self.truth)

    @property
    def iou(self) -> np.ndarray:
        """Return each class's intersection over union, 1 where it is neither found nor there."""
        return _ratio(self.both, self.found + self.truth - self.both)


@dataclass(frozen=True)
class Counted:
    """One patient: the mean Dice of its regions, and the sums of its classes."""

    regions: float
    whole: Sums  # labels, of every slice
    labels: Sums  # of the slices with a tumour, which alone the authors of slices kept
    probabilities: Sums  # of the same slices


Way = Callable[[Sequence[Counted]], float]


def counted(truth: np.ndarray, found: np.ndarray, regions: float, *, by_slice: bool) -> Counted:
    """Count one-hot `truth` and probabilities, both `(D, H, W, K)`."""
    likeliest = found.argmax(axis=-1)
    labels = (likeliest[..., None] == np.arange(found.shape[-1])).astype(np.float32)
    held = truth[..., 1:].any(axis=(1, 2, 3)) if by_slice else slice(None)
    return Counted(
        regions=regions,
        whole=_sums(truth, labels),
        labels=_sums(truth[held], labels[held]),
        probabilities=_sums(truth[held], found[held]),
    )


def _sums(truth: np.ndarray, found: np.ndarray) -> Sums:
    rows = truth.reshape(-1, truth.shape[-1]), found.reshape(-1, found.shape[-1])
    both = np.einsum("vk,vk->k", *rows, dtype=np.float64)
    return Sums(both, rows[1].sum(axis=0, dtype=np.float64), rows[0].sum(axis=0, dtype=np.float64))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.where(below > 0, above / np.where(below > 0, below, 1), 1.0)


def _pooled(sums: Sequence[Sums]) -> Sums:
    return sum(sums[1:], sums[0])


def _labels(patients: Sequence[Counted]) -> Sums:
    return _pooled([one.labels for one in patients])


def _accuracy(patients: Sequence[Counted]) -> float:
    sums = _labels(patients)
    return float(sums.both.sum() / sums.truth.sum())


WAYS: Mapping[str, Way] = {
    "regions,\nby patient": lambda all_: float(np.nanmean([one.regions for one in all_])),
    "classes,\nby patient": lambda all_: float(np.mean([one.whole.dice[1:] for one in all_])),
    "pooled": lambda all_: float(_labels(all_).dice[1:].mean()),
    "pooled, with\nbackground": lambda all_: float(_labels(all_).dice.mean()),
    "the same, of\nprobabilities": lambda all_: float(
        _pooled([one.probabilities for one in all_]).dice.mean()
    ),
    "mean IoU with\nbackground": lambda all_: float(_labels(all_).iou.mean()),
    "accuracy": _accuracy,
}
# What the authors of each way call their number.
PRINTED: Mapping[str, tuple[str, ...]] = {
    "the same, of\nprobabilities": ("dice_mean", "dice"),
    "mean IoU with\nbackground": ("mean_iou", "val_mean_iou"),
    "accuracy": ("accuracy", "val_accuracy"),
}
