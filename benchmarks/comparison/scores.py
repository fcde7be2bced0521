"""What one run scored: arrays over patients, regions and metrics, derived from stored counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import policies
from benchmarks.errors import UserError
from benchmarks.record import Record

METRICS = policies.METRICS
COUNTS = ("tp", "fp", "fn")
DICE = METRICS.index("dice")


@dataclass(frozen=True)
class RunScores:
    """One finished run: `values` is (patients, regions, METRICS) under the policy that ranks.

    `dice` holds the Dice of each patient and region under every policy, `counts` the voxels
    (patients, regions, COUNTS), `slices` for each policy the sum of the slices' Dice and how many
    there were (regions, 2). NaN is undefined.
    """

    path: Path
    record: Record
    patients: tuple[str, ...]
    regions: tuple[str, ...]
    values: np.ndarray
    dice: Mapping[str, np.ndarray]
    counts: np.ndarray
    slices: Mapping[str, np.ndarray]

    @property
    def split(self) -> str:
        """Return the split that the run was trained and tested on."""
        return str(self.record.data.get("split_digest") or f"fold {self.record.run['fold']}")


def extract(path: Path, record: Record, policy: str) -> RunScores:
    """Derive a run's scores from the counts of its patients."""
    if not record.patients:
        raise UserError(f"{path} says that its run finished, and holds no patients.")
    try:
        return _extract(path, record, policy)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
        raise UserError(
            f"{path} holds patients that cannot be scored: {type(error).__name__} {error}."
        ) from error


def _extract(path: Path, record: Record, policy: str) -> RunScores:
    rows = [patient["regions"] for patient in record.patients]
    regions = tuple(dict.fromkeys(chain.from_iterable(rows)))
    grid = [[row.get(region, {}) for region in regions] for row in rows]
    shape = (len(rows), len(regions))
    values = np.array([[_values(row, policy) for row in line] for line in grid], dtype=float)
    counts = np.array([[[_count(row, c) for c in COUNTS] for row in line] for line in grid])
    return RunScores(
        path=path,
        record=record,
        patients=tuple(str(patient["patient"]) for patient in record.patients),
        regions=regions,
        values=values.reshape(*shape, len(METRICS)),
        dice={name: dice(counts.reshape(*shape, 3), name) for name in policies.POLICIES},
        counts=counts.reshape(*shape, 3),
        slices=_slices(grid, len(regions)),
    )


def _values(row: Mapping[str, Any], policy: str) -> list[float | None]:
    if row.get("tp") is None:  # the region is missing, or its counts were not finite
        return [None] * len(METRICS)
    told = policies.values(row, policy)
    return [told.get(name) for name in METRICS]


def _count(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return float("nan") if value is None else float(value)


def _slices(grid: list[list[Mapping[str, Any]]], regions: int) -> dict[str, np.ndarray]:
    """Sum the Dice of the slices of all patients, region by region."""
    sums = {name: np.zeros((regions, 2)) for name in policies.POLICIES}
    for region in range(regions):
        slices = (line[region].get("slices") or () for line in grid)
        counts = _matrix(chain.from_iterable(slices))
        for name in policies.POLICIES:
            found = dice(counts, name)
            sums[name][region] = np.nansum(found), (~np.isnan(found)).sum()
    return sums


def _matrix(rows: Iterable[list[int]]) -> np.ndarray:
    return np.fromiter(chain.from_iterable(rows), dtype=float).reshape(-1, 3)


def dice(counts: np.ndarray, policy: str) -> np.ndarray:
    """Return the Dice of `[..., (tp, fp, fn)]`; two empty masks are what the policy says."""
    tp, fp, fn = np.moveaxis(counts, -1, 0)
    whole = 2 * tp + fp + fn
    empty = policies.find(policy).perfect(1.0)
    undefined = np.nan if empty is None else empty
    with np.errstate(invalid="ignore"):
        found = np.where(whole > 0, 2 * tp / np.where(whole > 0, whole, 1), undefined)
    return np.where(np.isnan(whole), np.nan, found)
