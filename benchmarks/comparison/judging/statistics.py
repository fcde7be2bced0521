"""What may be concluded from scores of patients: paired tests, effects, ranks.

A row of every matrix is a patient, a column a model, a metric or a difference; NaN is a score that
a policy leaves undefined. One draw of patients serves all columns, so differences stay paired.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, stdtrit
from scipy.stats import rankdata, wilcoxon

RESAMPLES = 10_000
LEVEL = 0.95
AT_ONCE = 2**25  # entries of a matrix of draws, 256 MB: 3,355 patients


@lru_cache(maxsize=8)
def draws(patients: int, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Return how often each patient is drawn in each resample, `(resamples, patients)`."""
    return _drawn(patients, resamples, np.random.default_rng(seed))


def _drawn(patients: int, resamples: int, generator: np.random.Generator) -> np.ndarray:
    return generator.multinomial(patients, [1 / patients] * patients, resamples).astype(float)


def _blocks(patients: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the same draws a part at a time where all together would take too much memory."""
    if patients * resamples <= AT_ONCE:
        yield draws(patients, resamples, seed)
        return
    generator, height = np.random.default_rng(seed), max(1, AT_ONCE // (4 * patients))
    for start in range(0, resamples, height):
        yield _drawn(patients, min(height, resamples - start), generator)


def resampled_means(scores: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Return the mean of each column in each resample of patients, `(resamples, columns)`."""
    known = ~np.isnan(scores)
    values, present = np.where(known, scores, 0.0), known.astype(float)
    parts = []
    for weights in _blocks(len(scores), resamples, seed):
        counts = weights @ present if not known.all() else float(len(scores))
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append(weights @ values / counts)
    return np.concatenate(parts)


def means(scores: np.ndarray) -> np.ndarray:
    """Return the mean of each column over the patients that have a score, NaN without any."""
    counts = (~np.isnan(scores)).sum(axis=0)
    return np.where(counts > 0, np.nansum(scores, axis=0) / np.maximum(counts, 1), np.nan)


def paired_p(differences: np.ndarray) -> float:
    """Return Wilcoxon's two-sided signed-rank p; undefined pairs are left out, no difference is 1.

    Patients that both models score alike carry no sign and are dropped, as Wilcoxon did.
    """
    signed = differences[~np.isnan(differences) & (differences != 0)]
    if len(signed) == 0:
        return 1.0
    return float(wilcoxon(signed).pvalue)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p values for their number (Holm 1979): reject where the adjusted one is small."""
    p_values = np.asarray(p_values, dtype=float)
    adjusted = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def rank_biserial(differences: np.ndarray) -> float:
    """Return the effect size of the signed-rank test, -1 to 1: favourable less unfavourable ranks.

    0 where no pair differs (Kerby 2014).
    """
    signed = differences[~np.isnan(differences) & (differences != 0)]
    if len(signed) == 0:
        return 0.0
    ranks = rankdata(np.abs(signed))
    return float((ranks * np.sign(signed)).sum() / ranks.sum())


def ranks(values: np.ndarray, *, lower_is_better: bool = False) -> np.ndarray:
    """Rank along the last axis from 1, the best; ties share the better place, NaN comes last."""
    keys = values if lower_is_better else -values
    return rankdata(np.where(np.isnan(keys), np.inf, keys), method="min", axis=-1).astype(int)


def rank_intervals(
    scores: np.ndarray, *, lower_is_better: bool = False, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of each column's rank over resamples of patients: 95 %, expanded."""
    resampled = resampled_means(scores, resamples=resamples, seed=seed)
    found = ranks(resampled, lower_is_better=lower_is_better)
    tail = _expanded((1 - LEVEL) / 2, len(scores))
    lower, upper = np.quantile(found, [tail, 1 - tail], axis=0, method="closest_observation")
    return lower.astype(int), upper.astype(int)


def _expanded(tail: float, n: int) -> float:
    """Move a tail outwards by what a t interval is wider than a bootstrap's (Hesterberg 2015)."""
    freedom = max(n - 1, 1)
    return float(ndtr(np.sqrt(n / freedom) * stdtrit(freedom, tail)))
