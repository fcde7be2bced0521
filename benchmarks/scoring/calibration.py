"""Are the probabilities worth their name: calibration error, Brier score, reliability diagram.

Of the voxels that a model gives 80 %, 80 % should be foreground. Voxels are gathered in bins of
equal width over the foreground probability; a bin keeps three sums, so that patients can be added
one at a time and the result does not depend on how they were grouped. Background dominates a scan:
a small error says little alone, and the diagram is drawn from the same bins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.errors import UserError

BINS = 15
_CHUNK = 1 << 20  # voxels at a time: a volume's temporary arrays stay under 50 MB


@dataclass(frozen=True)
class Calibration:
    """Per bin: voxels, the sum of their probabilities, and those of the foreground among them."""

    voxels: np.ndarray
    probability: np.ndarray
    foreground: np.ndarray
    squared_error: float

    def __add__(self, other: "Calibration") -> "Calibration":
        return Calibration(
            self.voxels + other.voxels,
            self.probability + other.probability,
            self.foreground + other.foreground,
            self.squared_error + other.squared_error,
        )

    @property
    def ece(self) -> float | None:
        """Return the expected calibration error: |mean probability - frequency|, by voxels."""
        total = int(self.voxels.sum())
        return float(np.abs(self.probability - self.foreground).sum() / total) if total else None

    @property
    def brier(self) -> float | None:
        """Return the mean squared difference of probability and truth."""
        total = int(self.voxels.sum())
        return self.squared_error / total if total else None

    def reliability(self) -> list[dict[str, float | int | None]]:
        """Return the diagram's points: each bin's range, voxels, mean probability, frequency."""
        edges = np.linspace(0, 1, len(self.voxels) + 1)
        return [
            {
                "from": float(edges[index]),
                "to": float(edges[index + 1]),
                "voxels": int(voxels),
                "probability": float(self.probability[index] / voxels) if voxels else None,
                "frequency": float(self.foreground[index] / voxels) if voxels else None,
            }
            for index, voxels in enumerate(self.voxels)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the sums, ready for JSON."""
        return {
            "voxels": self.voxels.tolist(),
            "probability": self.probability.tolist(),
            "foreground": self.foreground.tolist(),
            "squared_error": self.squared_error,
        }


def from_dict(sums: Mapping[str, Any]) -> Calibration:
    """Read what `as_dict` wrote."""
    return Calibration(
        np.array(sums["voxels"], dtype=np.int64),
        np.array(sums["probability"], dtype=float),
        np.array(sums["foreground"], dtype=np.int64),
        float(sums["squared_error"]),
    )


def empty(bins: int = BINS) -> Calibration:
    """Return the calibration of no voxel: where a sum over patients starts."""
    return Calibration(
        np.zeros(bins, dtype=np.int64), np.zeros(bins), np.zeros(bins, dtype=np.int64), 0.0
    )


def measure(reference: np.ndarray, probability: np.ndarray, bins: int = BINS) -> Calibration:
    """Compare the foreground probability of each voxel with a boolean mask of the same shape."""
    if reference.shape != probability.shape:
        raise UserError(
            f"Expected probabilities of the reference's shape {reference.shape}. "
            f"Received: {probability.shape}. Pass one region's channel at a time."
        )
    truth, guess = np.ravel(reference).astype(bool, copy=False), np.ravel(probability)
    total = empty(bins)
    for start in range(0, guess.size, _CHUNK):
        total += _chunk(truth[start : start + _CHUNK], guess[start : start + _CHUNK], bins)
    return total


def _chunk(truth: np.ndarray, guess: np.ndarray, bins: int) -> Calibration:
    guess = guess.astype(float)
    if not (guess.min() >= 0 and guess.max() <= 1):  # NaN fails both
        raise UserError(
            f"Expected probabilities from 0 to 1. Received: from {guess.min()} to {guess.max()}. "
            "Apply a sigmoid or softmax first."
        )
    place = np.minimum((guess * bins).astype(np.int64), bins - 1)  # 1.0 is of the last bin
    return Calibration(
        np.bincount(place, minlength=bins),
        np.bincount(place, weights=guess, minlength=bins),
        np.bincount(place[truth], minlength=bins),
        float(np.square(guess - truth).sum()),
    )
