"""What one run scored: arrays over patients, regions and metrics, derived from stored counts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.records.record import Record
from benchmarks.scoring import policies
from benchmarks.scoring.tally import Tally

METRICS = policies.METRICS
COUNTS = ("tp", "fp", "fn")
DICE = METRICS.index("dice")


@dataclass(frozen=True)
class RunScores:
    """One finished run: `values` is (patients, regions, columns) under the policy that ranks.

    `columns` are METRICS, then the user's own.

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
    columns: tuple[str, ...] = METRICS

    @property
    def split(self) -> str:
        """Return the split that the run was trained and tested on."""
        return split_of(self.record)


def split_of(record: Record) -> str:
    """Return the split that a run was trained and tested on."""
    return str(record.data.get("split_digest") or f"fold {record.run['fold']}")


def extract(path: Path, record: Record, tally: Tally, policy: str) -> RunScores:
    """Derive a run's scores from the counts of its patients."""
    counts = tally.counts[..., : len(COUNTS)]
    return RunScores(
        path=path,
        record=replace(record, patients=[]),
        patients=tally.patients,
        regions=tally.regions,
        values=tally.values[policy],
        dice={name: _sum(found[..., DICE]) for name, found in tally.values.items()},
        voxels=counts.sum(axis=0),
        slices=np.array([_slices(tally.slices[mine]) for _, mine in tally.by_region()]),
        millilitres=_millilitres(tally),
        in_mm=all(patient.get("in_mm", True) for patient in record.patients),
        reach=_reach(tally, policy),
        columns=tally.columns,
    )


def _sum(scores: np.ndarray) -> np.ndarray:
    """Return for each region the sum over patients and how many are defined."""
    return np.stack([np.nansum(scores, axis=0), (~np.isnan(scores)).sum(axis=0)], axis=1)


def _millilitres(tally: Tally) -> np.ndarray:
    """Return the reference volume of each patient's largest region."""
    voxels = tally.counts[..., 0] + tally.counts[..., 2]
    return np.fmax.reduce(voxels * tally.number("voxel_volume_mm3") / 1000, axis=1)


def _reach(tally: Tally, policy: str) -> float:
    """Return the greatest distance that a miss costs any of the patients."""
    penalty = policies.find(policy).penalty_mm
    if penalty is not None:
        return penalty
    known = tally.number("diagonal_mm")
    return float(np.nanmax(known)) if not np.isnan(known).all() else np.nan


def _slices(counts: np.ndarray) -> tuple[float, int, int]:
    """Return the sum of the slices' Dice, how many hold anything, and how many there are."""
    tp, fp, fn = counts.T
    whole = 2 * tp + fp + fn
    drawn = whole > 0
    return float((2 * tp[drawn] / whole[drawn]).sum()), int(drawn.sum()), len(counts)


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
