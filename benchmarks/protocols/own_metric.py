"""A metric in a file of one's own, `./metrics.py:mine`: `facts` of two masks, `value` of a row.

A patient's row keeps both under `own.mine`, so that records are read without the file; tables show
the value as `x_mine`. Nothing is ranked by it. A failure on one patient is noted in that row: a
trained network is not lost to it.
"""

import math
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import UserError
from benchmarks.protocols import own_source
from benchmarks.scoring import metrics, policies

FUNCTIONS = ("facts", "value")
LARGEST = 1e30  # what a record takes
LONGEST = 300  # characters of what went wrong


@dataclass(frozen=True)
class OwnMetric:
    """The two functions of a file, under the name that the protocol gives them."""

    name: str
    path: Path
    facts: Callable[..., Any]
    value: Callable[..., Any]

    def measured(
        self,
        row: Mapping[str, Any],
        reference: np.ndarray,
        prediction: np.ndarray,
        spacing: Sequence[float],
    ) -> dict[str, Any]:
        """Return what a row keeps: the facts, and the value under every policy."""
        try:
            facts = self._facts(row, reference, prediction, spacing)
            return {"facts": facts, "values": self.values({**row, **facts})}
        except Exception as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())}"[:LONGEST]
            return {"facts": {}, "values": dict.fromkeys(policies.POLICIES), "error": told}

    def values(self, row: Mapping[str, Any]) -> dict[str, float | None]:
        """Return the value of a row and its facts under every policy."""
        return {policy: _number(self.value(dict(row), policy)) for policy in policies.POLICIES}

    def _facts(self, row: Mapping[str, Any], *masks: Any) -> dict[str, float | None]:
        found = self.facts(*masks)
        if not isinstance(found, Mapping):
            raise TypeError(f"facts returned {type(found).__name__}, not a dict of numbers")
        for name in found:
            if not isinstance(name, str) or name in row:
                raise ValueError(f"{name!r} can't name a fact; take a text that no row has")
        return {name: _number(value) for name, value in found.items()}


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{value!r:.60} is neither a number nor None")
    found = float(value)
    if math.isnan(found):
        return None
    if abs(found) > LARGEST:
        raise ValueError(f"{found} is too large for a record; return None where nothing is defined")
    return found


def find(text: str) -> own_source.OwnSource:
    """Read a metric's file, and look that both functions are there, without running it."""
    return own_source.find(text, FUNCTIONS, kind="metric")


def load(texts: Iterable[str], *, surfaces: bool = True) -> list[OwnMetric]:
    """Run each file, and try its metric on small masks: before a training, not after it.

    `surfaces` says whether rows hold distances.
    """
    found = []
    for text in texts:
        source = find(text)
        module = own_source.run(source)
        mine = OwnMetric(source.name, source.path, *(getattr(module, one) for one in FUNCTIONS))
        _try(mine, surfaces)
        found.append(mine)
    return found


def _try(mine: OwnMetric, surfaces: bool) -> None:
    """Refuse a metric that fails on masks of every status."""
    empty = np.zeros((3, 8, 8), dtype=bool)
    full, moved = empty.copy(), empty.copy()
    full[1:, 2:6, 2:6] = moved[1:, 3:7, 2:6] = True
    for reference, prediction in ((full, moved), (full, empty), (empty, full), (empty, empty)):
        row = metrics.measure(reference, prediction, (3.0, 1.0, 1.0), surfaces=surfaces)
        told = mine.measured(row, reference, prediction, (3.0, 1.0, 1.0))
        if "error" in told:
            raise UserError(
                f"{mine.path}: fails on masks of status {row['status']!r} ({told['error']}); mend "
                "it."
            )


def add(own: Iterable[OwnMetric], row: dict[str, Any], *masks: Any) -> dict[str, Any]:
    """Return a row with what metrics of one's own keep of the same masks."""
    told = {one.name: one.measured(row, *masks) for one in own}
    return {**row, "own": told} if told else row


def failures(patients: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Say of each patient, region and metric what failed."""
    for patient, region, row in _rows(patients):
        for name, kept in row.get("own", {}).items():
            if "error" in kept:
                yield f"x_{name} of {patient}, {region}: {kept['error']}"


def disagreements(mine: OwnMetric, patients: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Name each value that the file, run again, does not give."""
    for patient, region, row in _rows(patients):
        kept = row.get("own", {}).get(mine.name)
        if kept is None or "error" in kept:
            continue
        place = f"patients.{patient}.{region}.x_{mine.name}"
        bare = {name: value for name, value in row.items() if name != "own"}
        try:
            again = mine.values({**bare, **kept["facts"]})
        except Exception as error:
            yield f"{place}: raises {type(error).__name__}: {error}"[:LONGEST]
            continue
        for policy, value in again.items():
            recorded = kept["values"].get(policy)
            if not _equal(recorded, value):
                yield f"{place} ({policy}): recorded {recorded}, its file gives {value}"


def _rows(patients: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for patient in patients:
        for region, row in patient["regions"].items():
            yield patient["patient"], region, row


def _equal(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
