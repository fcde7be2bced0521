"""Patients of other sites: what a network scores there, beside its own test patients."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.comparison.judging import differences, intervals
from benchmarks.comparison.judging.intervals import Intervals
from benchmarks.records.record import Record
from benchmarks.scoring import policies


@dataclass(frozen=True)
class External:
    """One network at one site: Dice there and at home with their intervals, and the drop."""

    model: str
    protocol: str
    site: str
    region: str
    n: int
    dice: float
    lower: float
    upper: float
    n_internal: int
    internal: float | None
    drop: float | None  # external less internal
    drop_lower: float | None
    drop_upper: float | None
    seen: int  # patients that were trained on, and scored by force
    checked: bool
    resampled: int  # scans that the network saw on voxels of another size than their own

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def is_external(record: Record) -> bool:
    """Tell whether a record is of patients of another site."""
    return bool(record.run.get("external"))


def rows(records: Iterable[Record]) -> tuple[External, ...]:
    """Return the row of each record, by site and then the best first."""
    found = [row(record) for record in records]
    return tuple(sorted(found, key=lambda one: (one.site, -one.dice, one.model)))


def row(record: Record) -> External:
    """Return what a record says; of several regions, of the one that most labels make."""
    told = record.run["external"]
    labels = record.data.get("regions", {})
    names = {name for patient in record.patients for name in patient["regions"]}
    region = min(names, key=lambda name: (-len(labels.get(name, ())), name))
    policy = policies.find(record.protocol.get("evaluate", {}).get("policy", "brats")).name
    here = [policies.values(p["regions"][region], policy)["dice"] for p in record.patients]
    found = _intervals([value for value in here if value is not None])
    home = (told.get("internal") or {}).get(region) or []
    known: dict[str, Any] = {"internal": None, "drop": None, "drop_lower": None, "drop_upper": None}
    if home:
        inside = _intervals(home)
        apart = differences.difference(found, inside, 0.0)
        known = {
            "internal": float(inside.mean[0]),
            "drop": float(apart.mean[0]),
            "drop_lower": float(apart.lower[0]),
            "drop_upper": float(apart.upper[0]),
        }
    return External(
        model=record.name,
        protocol=str(record.run["protocol"]),
        site=str(told["site"]),
        region=region,
        n=len(record.patients),
        dice=float(found.mean[0]),
        lower=float(found.lower[0]),
        upper=float(found.upper[0]),
        n_internal=len(home),
        seen=int(told.get("seen") or 0),
        checked=bool(told.get("checked")),
        resampled=int(told.get("resampled") or 0),
        **known,
    )


def _intervals(values: list[float]) -> Intervals:
    return intervals.intervals(np.array(values, dtype=float)[:, None])
