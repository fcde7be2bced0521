"""What one run scored: arrays over patients, regions and metrics, derived from stored counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks import policies
from benchmarks.errors import UserError
from benchmarks.policies import Row
from benchmarks.record import Record

METRICS = policies.METRICS
COUNTS = ("tp", "fp", "fn")
DICE = METRICS.index("dice")


@dataclass(frozen=True)
class RunScores:
    """One finished run: `values` is (patients, regions, METRICS) under the policy that ranks.

    `dice` holds the Dice of each patient and region under every policy, `counts` the voxels
    (patients, regions, COUNTS), `slices` for each region the sum of the slices' Dice, how many hold
    anything, and how many there are. NaN is undefined.
    """

    path: Path
    record: Record
    patients: tuple[str, ...]
    regions: tuple[str, ...]
    values: np.ndarray
    dice: Mapping[str, np.ndarray]
    counts: np.ndarray
    slices: np.ndarray

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
    cells = [_cell(row.get(region, {}), policy) for row in rows for region in regions]
    table = np.array(cells, dtype=float).reshape(len(rows), len(regions), -1)
    counts = table[..., len(METRICS) :]
    return RunScores(
        path=path,
        record=record,
        patients=tuple(str(patient["patient"]) for patient in record.patients),
        regions=regions,
        values=table[..., : len(METRICS)],
        dice={name: dice(counts, name) for name in policies.POLICIES},
        counts=counts,
        slices=np.array([_slices(row.get(region, {}) for row in rows) for region in regions]),
    )


def _cell(row: Row, policy: str) -> list[float | None]:
    """Return every metric, then the counts; all None where the region has no finite counts."""
    if row.get("tp") is None:
        return [None] * (len(METRICS) + len(COUNTS))
    told = policies.values(row, policy)
    return [*map(told.get, METRICS), *(row[name] for name in COUNTS)]


def _slices(rows: Iterable[Row]) -> tuple[float, int, int]:
    """Return the sum of the slices' Dice, how many hold anything, and how many there are.

    A plain loop: faster than building arrays of short lists.
    """
    total, drawn, number = 0.0, 0, 0
    for row in rows:
        slices = row.get("slices") or ()
        number += len(slices)
        for tp, fp, fn in slices:
            whole = 2 * tp + fp + fn
            if whole:
                total += 2 * tp / whole
                drawn += 1
    return total, drawn, number


def dice(counts: np.ndarray, policy: str) -> np.ndarray:
    """Return the Dice of `[..., (tp, fp, fn)]`; two empty masks are what the policy says."""
    tp, fp, fn = np.moveaxis(counts, -1, 0)
    whole = 2 * tp + fp + fn
    empty = policies.find(policy).perfect(1.0)
    undefined = np.nan if empty is None else empty
    with np.errstate(invalid="ignore"):
        found = np.where(whole > 0, 2 * tp / np.where(whole > 0, whole, 1), undefined)
    return np.where(np.isnan(whole), np.nan, found)
