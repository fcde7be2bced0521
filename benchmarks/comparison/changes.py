"""Two result sets, before and now: what changed by more than chance."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging import differences, statistics
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.judging.wording import Evidence
from benchmarks.comparison.reading.groups import Terms


@dataclass(frozen=True)
class Change:
    """A model's mean Dice before and now, on the patients that both have; None where one lacks it.

    `note` says why two rows were not compared.
    """

    model: str
    protocol: str
    before: float | None
    now: float | None
    difference: float
    lower: float
    upper: float
    p_holm: float
    n: int
    note: str = ""

    @property
    def is_sure(self) -> bool:
        """Say whether the interval leaves out zero and the adjusted test agrees."""
        return Evidence(self.p_holm, self.lower, self.upper, self.n).distinguishable

    @property
    def is_loss(self) -> bool:
        """Say whether the model lost, beyond what other patients might explain."""
        return self.is_sure and self.difference < 0

    @property
    def verdict(self) -> str:
        """Return the change in a word."""
        if self.note:
            return self.note
        if not self.is_sure:
            return "~ no change that can be told from noise"
        return "worse" if self.is_loss else "better"


def changes(before: Comparison, now: Comparison) -> list[Change]:
    """Pair the rows of equal protocol, data and splits, patient by patient; Holm over all."""
    old, new = _rows(before), _rows(now)
    shared = [key for key in old if key in new]
    both = [_both(old[key], new[key], key[1]) for key in shared]
    # Means over seeds differ in the last bits where the scores are the same.
    p_values = [statistics.paired_p(np.round(dice[:, 1] - dice[:, 0], 12)) for dice in both]
    found = [
        _change(key, dice, old[key], new[key], float(p))
        for key, dice, p in zip(shared, both, statistics.holm(np.array(p_values)), strict=True)
    ]
    gone = [_alone(key, old[key], None, "only before") for key in old if key not in new]
    come = [_alone(key, None, new[key], "only now") for key in new if key not in old]
    return found + gone + come


Key = tuple[Terms, str]


def _rows(comparison: Comparison) -> dict[Key, Table]:
    """Return each model's table in which it has the most folds, for every protocol and data."""
    tables: Iterable[Table] = sorted(comparison.tables, key=lambda table: len(table.terms.splits))
    return {(table.terms, model): table for table in tables for model in table.models}


def _both(old: Table, new: Table, model: str) -> np.ndarray:
    """Return the Dice before and now, `(patients, 2)`, of the patients that both have."""
    before = dict(zip(old.patients, old.dice(model), strict=True))
    now = dict(zip(new.patients, new.dice(model), strict=True))
    shared = [patient for patient in before if patient in now]
    return np.array([(before[p], now[p]) for p in shared]).reshape(-1, 2)


def _change(key: Key, dice: np.ndarray, old: Table, new: Table, p: float) -> Change:
    found = differences.paired(dice, np.array([1]), np.array([0]))
    return Change(
        model=key[1],
        protocol=key[0].protocol,
        before=_mean(old, key[1]),
        now=_mean(new, key[1]),
        difference=float(found.mean[0]),
        lower=float(found.lower[0]),
        upper=float(found.upper[0]),
        p_holm=p,
        n=int((~np.isnan(dice).any(axis=1)).sum()),
    )


def _alone(key: Key, old: Table | None, new: Table | None, note: str) -> Change:
    nothing = float("nan")
    return Change(
        model=key[1],
        protocol=key[0].protocol,
        before=_mean(old, key[1]) if old else None,
        now=_mean(new, key[1]) if new else None,
        difference=nothing,
        lower=nothing,
        upper=nothing,
        p_holm=nothing,
        n=0,
        note=note,
    )


def _mean(table: Table, model: str) -> float | None:
    found = table.estimates.get((model, table.regions[0], "dice"))
    return found.mean if found else None
