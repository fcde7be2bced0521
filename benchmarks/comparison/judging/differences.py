"""How far a difference of two means may lie from that over all patients."""

import numpy as np
from scipy.special import stdtrit

from benchmarks.comparison.judging.intervals import Intervals, intervals
from benchmarks.comparison.judging.statistics import LEVEL, RESAMPLES, means


def paired(
    scores: np.ndarray, first: np.ndarray, second: np.ndarray, *, resamples: int = RESAMPLES
) -> Intervals:
    """Return each first column less its second, of the patients that both of them score.

    The intervals of both means are combined, less what the scores have in common (MOVER, Zou and
    Donner 2008); where Student's t of the differences reaches further, that counts.
    """
    gaps = scores[:, first] - scores[:, second]
    if np.isnan(gaps).any():
        one, other = (np.where(np.isnan(gaps), np.nan, scores[:, side]) for side in (first, second))
        sides = intervals(one, resamples=resamples), intervals(other, resamples=resamples)
    else:
        each = intervals(scores, resamples=resamples)
        one, other = scores[:, first], scores[:, second]
        sides = each[first], each[second]
    found = difference(*sides, _correlation(one, other))
    reach = _student(gaps)
    return Intervals(
        found.mean,
        np.minimum(found.lower, found.mean - reach),
        np.maximum(found.upper, found.mean + reach),
    )


def difference(first: Intervals, second: Intervals, correlation: np.ndarray | float) -> Intervals:
    """Return first less second; `correlation` is 0 where their patients are not the same."""
    gap = first.mean - second.mean

    def reach(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(one**2 + other**2 - 2 * correlation * one * other, 0.0))

    down = reach(first.mean - first.lower, second.upper - second.mean)
    up = reach(first.upper - first.mean, second.mean - second.lower)
    return Intervals(gap, gap - down, gap + up)


def _correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of two columns at a time, 0 where one is constant."""
    a, b = (np.nan_to_num(side - means(side)) for side in (first, second))
    spread = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return (a * b).sum(axis=0) / np.where(spread > 1e-12, spread, np.inf)


def _student(gaps: np.ndarray) -> np.ndarray:
    """Return half the width of Student's interval of a mean."""
    n = np.maximum((~np.isnan(gaps)).sum(axis=0), 2)
    squares = np.nansum((gaps - means(gaps)) ** 2, axis=0)
    return -stdtrit(n - 1, (1 - LEVEL) / 2) * np.sqrt(squares / (n - 1) / n)
