"""What other seeds would make of a difference: patients are not all that a mean depends on.

Two or three seeds say little of one model's scatter, so that of all models in a table is pooled.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.comparison.judging.differences import Errors
from benchmarks.comparison.judging.estimates import Standing


@dataclass(frozen=True)
class Scatter:
    """The standard deviation of a mean Dice from seed to seed, and on how much it stands."""

    spread: float
    freedom: int  # trainings beyond the first of each model and fold
    seeds: Mapping[str, int]

    def p(self, first: str, second: str, difference: float) -> float:
        """Return the p of a t-test for means over seeds; NaN where no model has two."""
        if not self.freedom:
            return math.nan
        return float(self._errors(first, second).p(np.array(difference)))

    def detectable(self, first: str, second: str, level: float) -> float:
        """Return the true difference that the test finds in 80 % of samples; NaN without one."""
        if not self.freedom:
            return math.nan
        return float(self._errors(first, second).detectable(level))

    def _errors(self, first: str, second: str) -> Errors:
        size = self.spread * math.sqrt(1 / self.seeds[first] + 1 / self.seeds[second])
        return Errors(np.array(size), np.array(float(self.freedom)))


def scatter(standings: Mapping[str, Standing]) -> Scatter:
    """Pool the scatter of every model that has several seeds."""
    seeds = {model: len(standing.seeds) for model, standing in standings.items()}
    freedom = {name: one.seed_freedom for name, one in standings.items() if one.seed_freedom}
    total = sum(freedom.values())
    squares = sum(free * standings[model].seed_spread ** 2 for model, free in freedom.items())
    return Scatter(math.sqrt(squares / total) if total else math.nan, total, seeds)
