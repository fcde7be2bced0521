"""Ways to make one number of the same masks, as articles and README files do.

Each turns a patient's (tp, fp, fn, tn) by slice into a numerator and a denominator; the number is
the ratio of both sums over patients. So any way has the same interval over patients.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.comparison.judging import intervals
from benchmarks.comparison.judging.intervals import Intervals

Ratio = tuple[float, float]
Way = Callable[[np.ndarray], Ratio]
SMOOTH = 100.0


def _dice(counts: np.ndarray) -> np.ndarray:
    """Return the Dice of rows of counts, NaN for two empty masks."""
    tp, fp, fn, _ = np.moveaxis(counts, -1, 0)
    whole = 2 * tp + fp + fn
    return np.where(whole > 0, 2 * tp / np.where(whole > 0, whole, 1), np.nan)


def _of(values: np.ndarray, empty: float | None) -> Ratio:
    values = np.atleast_1d(values)
    if empty is not None:
        values = np.where(np.isnan(values), empty, values)
    known = values[~np.isnan(values)]
    return float(known.sum()), float(len(known))


def _pooled(counts: np.ndarray) -> Ratio:
    tp, fp, fn, _ = counts.sum(axis=0)
    return 2 * tp, 2 * tp + fp + fn


def _smooth(counts: np.ndarray) -> Ratio:
    tp, fp, fn, _ = np.moveaxis(counts, -1, 0)
    return float(((2 * tp + SMOOTH) / (2 * tp + fp + fn + SMOOTH)).sum()), float(len(counts))


def _with_background(counts: np.ndarray) -> Ratio:
    swapped = counts[:, [3, 2, 1, 0]]  # the background's own tp, fp, fn, tn
    scores = [_of(_dice(part.sum(axis=0)), 1.0)[0] for part in (counts, swapped)]
    return sum(scores) / 2, 1.0


WAYS: Mapping[str, Way] = {
    "patients": lambda counts: _of(_dice(counts.sum(axis=0)), 1.0),
    "patients,\nempty left out": lambda counts: _of(_dice(counts.sum(axis=0)), None),
    "pooled voxels": _pooled,
    "slices with\nany mask": lambda counts: _of(_dice(counts), None),
    "slices with\na tumour": lambda counts: _of(
        _dice(counts[counts[:, [0, 2]].sum(axis=1) > 0]), 0
    ),
    "slices,\nempty = 1": lambda counts: _of(_dice(counts), 1.0),
    "slices,\nsmooth = 100": _smooth,
    "patients, with\nbackground": _with_background,
}


def columns(patients: Mapping[str, Sequence[np.ndarray]], way: str) -> np.ndarray:
    """Return numerator and denominator of each patient, (patients, 2), in the order given."""
    ratios = [
        np.sum([WAYS[way](counts) for counts in several], axis=0) for several in patients.values()
    ]
    return np.array(ratios, float)


def value(ratios: np.ndarray) -> float:
    """Return the number that a way makes of its patients."""
    above, below = ratios.sum(axis=0)
    return float(above / below) if below else float("nan")


def interval(ratios: np.ndarray) -> Intervals:
    """Return the number with its 95 % interval, by the method of every other table."""
    return intervals.of_ratios(ratios[:, :1], ratios[:, 1:])
