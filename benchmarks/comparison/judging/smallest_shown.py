"""The smallest difference that a table could have shown: what its patients and seeds leave."""

import math
from itertools import combinations
from statistics import median

import numpy as np
from scipy.special import stdtrit

from benchmarks.comparison.judging.seed_scatter import Scatter
from benchmarks.comparison.judging.statistics import LEVEL

POWER = 0.8


def of_patients(dice: np.ndarray) -> float | None:
    """Return the difference of two means that a paired t-test finds in four of five samples.

    `dice` is (patients, models); the scatter of a patient's differences is the median over pairs.
    """
    spreads, numbers = [], []
    for first, second in combinations(range(dice.shape[1]), 2):
        gaps = dice[:, first] - dice[:, second]
        gaps = gaps[~np.isnan(gaps)]
        if len(gaps) > 2:
            spreads.append(float(gaps.std(ddof=1)))
            numbers.append(len(gaps))
    if not spreads:
        return None
    n = median(numbers)
    return _reach(n - 1) * median(spreads) / math.sqrt(n)


def of_seeds(scatter: Scatter) -> float | None:
    """Return that of a test over seeds, at the median number of them; None without several."""
    if not scatter.freedom:
        return None
    return _reach(scatter.freedom) * scatter.spread * math.sqrt(2 / median(scatter.seeds.values()))


def _reach(freedom: float) -> float:
    """Return how many standard errors a difference must have."""
    return float(stdtrit(freedom, 1 - (1 - LEVEL) / 2) + stdtrit(freedom, POWER))
