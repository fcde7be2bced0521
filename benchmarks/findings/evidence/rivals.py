"""Intervals of a mean that this project does not use, to be measured beside the one it does.

Each takes `(patients, samples)` and the ends of the metric, and returns the bounds of all samples.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

from benchmarks.comparison.judging.statistics import draws

Bounds = tuple[np.ndarray, np.ndarray]
Ends = tuple[float, float]
TAIL = 0.025
RESAMPLES = 2_000


def student(scores: np.ndarray, ends: Ends) -> Bounds:
    """Return Student's t."""
    mean, reach = scores.mean(axis=0), -stdtrit(len(scores) - 1, TAIL) * _error(scores)
    return mean - reach, mean + reach


def _error(scores: np.ndarray) -> np.ndarray:
    return scores.std(axis=0, ddof=1) / np.sqrt(len(scores))


def logit_t(scores: np.ndarray, ends: Ends) -> Bounds:
    """Return Student's t of the mean's logit, between the ends."""
    low, width = ends[0], ends[1] - ends[0]
    mean = np.clip((scores.mean(axis=0) - low) / width, 1e-6, 1 - 1e-6)
    reach = -stdtrit(len(scores) - 1, TAIL) * _error(scores) / width / (mean * (1 - mean))
    return low + width * expit(logit(mean) - reach), low + width * expit(logit(mean) + reach)


def bca(scores: np.ndarray, ends: Ends) -> Bounds:
    """Return the BCa bootstrap (Efron 1987), expanded for few patients (Hesterberg 2015)."""
    n, mean = len(scores), scores.mean(axis=0)
    ordered = np.sort(draws(n, RESAMPLES) @ scores / n, axis=0)
    apart = scores - mean
    spread = (apart**2).sum(axis=0) ** 1.5
    acceleration = (apart**3).sum(axis=0) / (6 * np.where(spread > 0, spread, 1.0))
    below = (ordered < mean).mean(axis=0) + (ordered == mean).mean(axis=0) / 2
    bias = ndtri(np.clip(below, 1 / RESAMPLES, 1 - 1 / RESAMPLES))
    tail = ndtri(ndtr(np.sqrt(n / (n - 1)) * stdtrit(n - 1, TAIL)))
    shares = [ndtr(bias + (bias + z) / (1 - acceleration * (bias + z))) for z in (tail, -tail)]
    lower, upper = (_read(ordered, share) for share in shares)
    return lower, upper


def _read(ordered: np.ndarray, share: np.ndarray) -> np.ndarray:
    place = np.round(np.nan_to_num(share) * (len(ordered) - 1)).astype(int)
    return ordered[place, np.arange(ordered.shape[1])]


def studentised(scores: np.ndarray, ends: Ends) -> Bounds:
    """Return the bootstrap-t, kept between the ends."""
    n, mean = len(scores), scores.mean(axis=0)
    weights, apart = draws(n, RESAMPLES) / n, scores - mean
    moved = weights @ apart
    spread = np.sqrt(np.maximum(weights @ apart**2 - moved**2, 0.0) / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(moved / spread, posinf=1e9, neginf=-1e9)
    low, high = np.quantile(ratio, [TAIL, 1 - TAIL], axis=0, method="closest_observation")
    error = scores.std(axis=0) / np.sqrt(n)
    return np.fmax(mean - high * error, ends[0]), np.fmin(mean - low * error, ends[1])


def gaffke(scores: np.ndarray, ends: Ends) -> Bounds:
    """Return Gaffke's interval: a whole patient more at each end."""
    generator = np.random.default_rng(0)
    weights = generator.dirichlet(np.ones(len(scores) + 1), RESAMPLES)
    own, further = weights[:, 1:] @ scores, weights[:, :1]
    lower = np.quantile(own + further * ends[0], TAIL, axis=0)
    return lower, np.quantile(own + further * ends[1], 1 - TAIL, axis=0)


MEANS: Mapping[str, Callable[[np.ndarray, Ends], Bounds]] = {
    "Student's t": student,
    "t of the logit": logit_t,
    "expanded BCa": bca,
    "bootstrap-t": studentised,
    "Gaffke": gaffke,
}
DIFFERENCES = {name: MEANS[name] for name in ("Student's t", "expanded BCa", "bootstrap-t")}
