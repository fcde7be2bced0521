"""How far a difference of two means may lie from that over all patients."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from benchmarks.comparison.judging.intervals import Intervals, intervals
from benchmarks.comparison.judging.statistics import LEVEL, RESAMPLES, means

POWER = 0.8  # of the difference that is called detectable


@dataclass(frozen=True)
class Errors:
    """Standard errors of mean differences, a column each, with their degrees of freedom."""

    size: np.ndarray
    freedom: np.ndarray

    def p(self, difference: np.ndarray) -> np.ndarray:
        """Return the two-sided p of Student's t; 1 where nothing differs at all."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = 2 * stdtr(self.freedom, -np.abs(difference) / self.size)
        return np.where(self.size > 0, found, np.where(difference == 0, 1.0, 0.0))

    def reach(self, level: float) -> np.ndarray:
        """Return the smallest difference whose p is below this level."""
        return -stdtrit(self.freedom, level / 2) * self.size

    def detectable(self, level: float) -> np.ndarray:
        """Return the true difference that a test at this level finds in 80 % of samples."""
        return self.reach(level) + stdtrit(self.freedom, POWER) * self.size


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
    found = difference(*sides, correlation(one, other))
    reach = errors(gaps).reach(1 - LEVEL)
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


def correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of two columns at a time, 0 where one is constant."""
    a, b = (np.nan_to_num(side - means(side)) for side in (first, second))
    spread = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return (a * b).sum(axis=0) / np.where(spread > 1e-12, spread, np.inf)


def errors(gaps: np.ndarray) -> Errors:
    """Return the errors of differences that nothing but patients makes."""
    count = np.maximum((~np.isnan(gaps)).sum(axis=0), 2)
    squares = np.nansum((gaps - means(gaps)) ** 2, axis=0)
    return Errors(np.sqrt(squares / (count - 1) / count), count - 1.0)
