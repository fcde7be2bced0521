"""What one run scored: arrays over patients, regions and metrics, derived from stored counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

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

    For each region, `dice` holds the sum of the patients' Dice and their number under every
    policy, `voxels` the pooled COUNTS, `slices` the sum of the slices' Dice, how many hold
    anything, and how many there are; `millilitres` is each patient's tumour, thousands of voxels
    where `in_mm` is false, because the files state no voxel size; `reach` is the distance that the
    policy puts in place of a miss, NaN where it is unknown. NaN is undefined.
    The record has given up its patients: all that is needed of them is here.
    """

    path: Path
    record: Record
    patients: tuple[str, ...]
    regions: tuple[str, ...]
    values: np.ndarray
    dice: Mapping[str, np.ndarray]
    voxels: np.ndarray
    slices: np.ndarray
    millilitres: np.ndarray
    in_mm: bool
    reach: float

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
        record=replace(record, patients=[]),
        patients=tuple(str(patient["patient"]) for patient in record.patients),
        regions=regions,
        values=table[..., : len(METRICS)],
        dice={name: _sum(dice(counts, name)) for name in policies.POLICIES},
        voxels=np.nansum(counts, axis=0),
        slices=np.array([_slices(row.get(region, {}) for row in rows) for region in regions]),
        millilitres=np.array([_millilitres(patient) for patient in record.patients]),
        in_mm=all(patient.get("in_mm", True) for patient in record.patients),
        reach=_reach(chain.from_iterable(row.values() for row in rows), policy),
    )


def _sum(scores: np.ndarray) -> np.ndarray:
    """Return for each region the sum over patients and how many are defined."""
    return np.stack([np.nansum(scores, axis=0), (~np.isnan(scores)).sum(axis=0)], axis=1)


def _reach(rows: Iterable[Row], policy: str) -> float:
    """Return the greatest distance that a miss costs any of the patients."""
    chosen = policies.find(policy)
    if chosen.penalty_mm is not None:
        return chosen.penalty_mm
    known = [row["diagonal_mm"] for row in rows if row.get("diagonal_mm") is not None]
    return float(max(known, default=np.nan))


def _millilitres(patient: Mapping[str, Any]) -> float:
    """Return the reference volume of a patient's largest region."""
    volumes = [
        (row["tp"] + row["fn"]) * row.get("voxel_volume_mm3", np.nan) / 1000
        for row in patient["regions"].values()
        if row.get("tp") is not None
    ]
    return max(volumes, default=np.nan)


def _cell(row: Row, policy: str) -> list[float | None]:
    """Return every metric, then the counts; all None where the region has no finite counts."""
    if row.get("tp") is None:
        return [None] * (len(METRICS) + len(COUNTS))
    told = policies.values(row, policy)
    return [*map(told.get, METRICS), *(row[name] for name in COUNTS)]


def _slices(rows: Iterable[Row]) -> tuple[float, int, int]:
    """Return the sum of the slices' Dice, how many hold anything, and how many there are."""
    slices = list(chain.from_iterable(row.get("slices") or () for row in rows))
    flat = np.fromiter(chain.from_iterable(slices), float, 3 * len(slices))
    tp, fp, fn = flat.reshape(-1, 3).T
    whole = 2 * tp + fp + fn
    drawn = whole > 0
    return float((2 * tp[drawn] / whole[drawn]).sum()), int(drawn.sum()), len(slices)


def dice(counts: np.ndarray, policy: str) -> np.ndarray:
    """Return the Dice of `[..., (tp, fp, fn)]`; two empty masks are what the policy says."""
    tp, fp, fn = np.moveaxis(counts, -1, 0)
    whole = 2 * tp + fp + fn
    empty = policies.find(policy).perfect(1.0)
    undefined = np.nan if empty is None else empty
    with np.errstate(invalid="ignore"):
        found = np.where(whole > 0, 2 * tp / np.where(whole > 0, whole, 1), undefined)
    return np.where(np.isnan(whole), np.nan, found)


def policy_of(record: Record, chosen: str | None) -> str:
    """Return the policy for empty masks: the one asked for, or the protocol's."""
    evaluate = record.protocol.get("evaluate")
    stated = evaluate.get("policy") if isinstance(evaluate, Mapping) else None
    return policies.find(chosen or stated or "brats").name
