"""How far the mean over few patients may lie from that over all: intervals that expect a miss.

No resampling of 13 patients makes up the missed tumour that none of them had, so the usual
bootstraps, BCa and Student's t hold a true mean Dice in 70 to 75 of 100 samples where they say 95
(docs/findings/coverage.md). Here half a patient more is drawn beside the others: below, one that
the metric's policy gives the worst value, above, one with the best. With a whole one this is
Gaffke's interval (2005), which no distribution is known to escape; half is nearest to 95 %.

A row of every matrix is a patient, a column a model, a metric or a way to average; NaN is a score
that a policy leaves undefined. One draw of patients serves all columns.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchmarks.comparison.judging.statistics import AT_ONCE, LEVEL, RESAMPLES, means

METHOD = "Bayesian bootstrap over patients with half a patient more at the metric's worst and best"
FURTHER = 0.5  # patients
SHARE = (0.0, 1.0)  # the ends of Dice and of most others


@dataclass(frozen=True)
class Intervals:
    """Means over patients, or differences of two, with their bounds; one entry a column."""

    mean: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def __getitem__(self, columns) -> "Intervals":
        """Return some of the columns."""
        return Intervals(self.mean[columns], self.lower[columns], self.upper[columns])


@lru_cache(maxsize=8)
def draws(patients: int, resamples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of the patients in each resample (Rubin 1981), and of the further one."""
    generator = np.random.default_rng(seed)
    own = generator.standard_exponential((patients, resamples))
    return own, generator.standard_gamma(FURTHER, resamples)


def _sums(values: np.ndarray, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each column's weighted sum in each resample, and the further patient's weight."""
    if len(values) * resamples <= AT_ONCE:
        own, further = draws(len(values), resamples)
        return values.T @ own, further
    # The same draws, some patients at a time, where all together would take too much memory.
    generator, height = np.random.default_rng(0), max(1, AT_ONCE // (4 * resamples))
    total = np.zeros((values.shape[1], resamples))
    for start in range(0, len(values), height):
        part = values[start : start + height]
        total += part.T @ generator.standard_exponential((len(part), resamples))
    return total, generator.standard_gamma(FURTHER, resamples)


def intervals(
    scores: np.ndarray, ends=SHARE, *, level: float = LEVEL, resamples: int = RESAMPLES
) -> Intervals:
    """Return the mean of each column with its interval; one patient alone has none.

    `ends` are the least and the greatest score that a patient can get, of all columns or of each.
    Where one is NaN it is taken to lie beyond the patients by as much as they lie apart.
    """
    if len(scores) == 0:
        return Intervals(*[means(scores)] * 3)
    known = ~np.isnan(scores)
    return of_ratios(
        np.where(known, scores, 0.0),
        known.astype(float),
        _ends(scores, ends),
        level=level,
        resamples=resamples,
    )


def _ends(scores: np.ndarray, ends) -> tuple[np.ndarray, np.ndarray]:
    low, high = (np.broadcast_to(np.asarray(end, float), scores.shape[1:]) for end in ends)
    if not np.isnan([low, high]).any():
        return low, high
    filled = np.where(np.isnan(scores), means(scores), scores)
    least, most = filled.min(axis=0), filled.max(axis=0)
    apart = most - least
    return (
        np.where(np.isnan(low), np.maximum(least - apart, 0), low),
        np.where(np.isnan(high), most + apart, high),
    )


def of_ratios(
    above: np.ndarray,
    below: np.ndarray,
    ends=SHARE,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Intervals:
    """Return the ratio of two sums over patients with its interval, column by column.

    A mean is the ratio of scores to ones; the further patient weighs as much as the usual one.
    """
    counts = (below > 0).sum(axis=0)
    whole = below.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = above.sum(axis=0) / whole
        sums, further = _sums(np.hstack([above, below]), resamples)
        parts, wholes = np.split(sums, 2)
        beside = np.outer(np.where(counts > 0, whole / np.maximum(counts, 1), 1.0), further)
        total = wholes + beside
        bounds = [
            _quantile((parts + np.reshape(end, (-1, 1)) * beside) / total, share)
            for end, share in zip(ends, ((1 - level) / 2, (1 + level) / 2), strict=True)
        ]
    lower, upper = (np.where(counts > 1, bound, np.nan) for bound in bounds)
    return Intervals(value, np.minimum(lower, value), np.maximum(upper, value))


def _quantile(drawn: np.ndarray, share: float) -> np.ndarray:
    """Return the drawn value of each row that `share` of them don't exceed."""
    place = round(share * (drawn.shape[1] - 1))
    return np.partition(drawn, place, axis=1)[:, place]
