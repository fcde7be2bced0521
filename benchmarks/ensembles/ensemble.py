"""Several networks as one: the mean of their answers, or what their masks agree on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ensembles import staple
from benchmarks.errors import UserError
from benchmarks.predicting import trained_network
from benchmarks.predicting.trained_network import Trained
from benchmarks.training import cut

if TYPE_CHECKING:
    from benchmarks.inference.predictor import Predictor
    from data_pipeline.scans.predicted_scan import Voxels

WAYS = ("mean", "majority", "staple")


def usage(paths: Sequence[Path], way: str, source: str | None = None) -> Trained:
    """Return how the networks of these files are used together; other labels are refused.

    `source` is what the user names of models that are not the zoo's.
    """
    if way == "staple" and len(paths) > staple.MOST:
        raise UserError(
            f"Expected at most {staple.MOST} networks for STAPLE. Received: {len(paths)}."
        )
    each = [trained_network.read(path, source) for path in paths]
    first = each[0]
    require_one_meaning(paths, each)
    joint = cut.mean([one.cut for one in each])
    threshold = 0.5 if way != "mean" and len(each) > 1 else joint.threshold
    channels = tuple(dict.fromkeys(name for one in each for name in one.spec.channels))
    spec = replace(first.spec, channels=channels)  # all that a scan must have
    return replace(first, spec=spec, threshold=threshold, smallest=joint.smallest)


def usage_of_one_model(paths: Sequence[Path]) -> Trained:
    """Return how the mean of these files' networks is used; other ways to see are refused."""
    first = sight(trained_network.read(paths[0]))
    for path in paths[1:]:
        if sight(trained_network.read(path)) != first:
            raise UserError(
                f"{path}: its network sees a scan on another grid, or other channels, than that of "
                f"{paths[0]}, so one model can't hold both: name each on its own."
            )
    return usage(paths, "mean")


def require_one_meaning(paths: Sequence[Path], each: Sequence[Trained]) -> None:
    """Refuse networks whose answers mean different things."""
    for path, other in zip(paths, each, strict=True):
        if _meaning(other) != _meaning(each[0]):
            raise UserError(
                f"{path}: its network was taught other labels than that of {paths[0]}; predict "
                "with each on its own."
            )


def _meaning(trained: Trained) -> tuple:
    target = trained.target
    return trained.labels, target.channels, dict(target.regions), target.exclusive


def title(names: Sequence[str]) -> str:
    """Name networks together: `unet x5`, or `unet, unet3d x5`."""
    counts = Counter(names)
    return ", ".join(f"{name} x{count}" if count > 1 else name for name, count in counts.items())


def sight(trained: Trained) -> tuple:
    """Return all that decides what a network sees of a scan."""
    preparation = trained.preparation
    return preparation, trained.value_range, trained.takes_fewer


class Ensemble:
    """Asks each network after the other; what it holds is a sum, and no answer but the last.

    `spread` is, after an answer, how far the networks lie apart in the probability of a lesion: the
    standard deviation of each voxel over them, on the answers' grid.
    """

    def __init__(self, members: Sequence["Predictor"], thresholds: Sequence[float], way: str):
        self.members, self.thresholds, self.way = members, thresholds, way
        self.spread: np.ndarray | None = None

    @property
    def progress(self):
        """Tell how far a member is, as a `Predictor` does."""
        return self.members[0].progress

    @progress.setter
    def progress(self, value) -> None:
        for member in self.members:
            member.progress = value

    def __call__(self, images: "np.ndarray | Voxels") -> np.ndarray:
        """Return `(D, h, w, K)` probabilities, or shares of votes."""
        return self.join(member(images) for member in self.members)

    def join(self, answers: Iterable[np.ndarray]) -> np.ndarray:
        """Return the same of the members' answers, which are taken one by one, on one grid."""
        total: np.ndarray | None = None
        lesion: Any = 0.0  # the mean so far
        squares: Any = 0.0  # of what lies beside it (Welford 1962: no difference of large numbers)
        for place, (answer, threshold) in enumerate(zip(answers, self.thresholds, strict=True)):
            seen = answer.max(-1) if answer.shape[-1] == 1 else 1 - answer[..., 0]
            beside = seen - lesion
            lesion = lesion + beside / np.float32(place + 1)
            squares = squares + beside * (seen - lesion)
            cast = answer if self.way == "mean" else _votes(answer, threshold)
            if self.way == "staple":
                cast *= 2**place  # the sum is a pattern of votes
            total = cast.copy() if total is None else np.add(total, cast, out=total)
        assert total is not None  # an ensemble has a member
        count = len(self.members)
        self.spread = np.sqrt(np.maximum(squares / np.float32(count), 0))
        if self.way == "staple":
            return _agreed(total, count)
        return np.divide(total, np.float32(count), out=total)


def _votes(answer: np.ndarray, threshold: float) -> np.ndarray:
    """Turn an answer into the votes of its mask: the likeliest class, or what passes."""
    if answer.shape[-1] == 1:
        return (answer >= threshold).astype(np.float32)
    return np.eye(answer.shape[-1], dtype=np.float32)[answer.argmax(axis=-1)]


def _agreed(patterns: np.ndarray, masks: int) -> np.ndarray:
    """Return the probability of each class by STAPLE; those of exclusive ones add up to 1."""
    for place in range(patterns.shape[-1]):
        patterns[..., place] = staple.weigh(patterns[..., place].astype(np.uint16), masks)
    if patterns.shape[-1] > 1:
        patterns /= np.maximum(patterns.sum(axis=-1, keepdims=True), 1e-12)
    return patterns


def entropy(found: np.ndarray) -> np.ndarray:
    """Return the entropy of `(..., K)` probabilities, from 0 to 1."""
    found = np.concatenate([1 - found, found], -1) if found.shape[-1] == 1 else found
    total = np.zeros(found.shape[:-1], np.float32)
    for place in range(found.shape[-1]):
        share = np.clip(found[..., place], 1e-12, 1)
        total -= share * np.log(share)
    return np.clip(total / np.float32(np.log(found.shape[-1])), 0, 1).astype(np.float32)
