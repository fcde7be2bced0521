"""From per-patient rows to means: by patient, by slice and pooled, under a policy for empty masks.

The mean over patients is the result. The mean over slices and the ratio of pooled voxels answer
other questions (a large tumour weighs more in both) and stand beside it, never in its place.
Whatever a policy leaves out is counted: `n_used` of `n_total`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.scoring import policies
from benchmarks.scoring.policies import Row, Values

COUNTS = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True)
class Mean:
    """The mean of the defined values and how many of all they are; None if none is defined."""

    mean: float | None
    n_used: int
    n_total: int


Means = dict[str, Mean]


def per_patient(patients: Sequence[Row], region: str, policy: str) -> dict[str, Values]:
    """Return the metrics of each patient in a region, None where the policy leaves one out."""
    return {
        patient["patient"]: policies.values(patient["regions"][region], policy)
        for patient in patients
    }


def over_patients(rows: Iterable[Row], policy: str) -> Means:
    """Return the mean of each metric over a region's rows, one row a patient."""
    return _means([policies.values(row, policy) for row in rows])


def over_slices(rows: Iterable[Row], policy: str) -> Means:
    """Return the mean of each overlap metric over the slices of all patients."""
    chosen = policies.find(policy)
    slices = [counts for row in rows for counts in _slices(row)]
    return _means([policies.overlaps(counts, chosen) for counts in slices])


def pooled(rows: Iterable[Row], policy: str) -> Means:
    """Return each overlap metric of all patients' voxels together, as if of one patient."""
    rows = list(rows)
    if not rows:
        return {}
    total = {name: sum(row[name] for row in rows) for name in COUNTS}
    ratios = policies.overlaps(total, policies.find(policy))
    return {
        name: Mean(ratio, len(rows) if ratio is not None else 0, len(rows))
        for name, ratio in ratios.items()
    }


LEVELS = {"patient": over_patients, "slice": over_slices, "pooled": pooled}


def summary(patients: Sequence[Row], policy: str) -> dict[str, Any]:
    """Return `{region: {level: {metric: {mean, n_used, n_total}}}}`, ready for JSON.

    Where there are several regions, `mean` is the mean of theirs; background is never one.
    """
    regions = list(dict.fromkeys(name for patient in patients for name in patient["regions"]))
    told: dict[str, dict[str, Means]] = {}
    for region in regions:
        rows = [patient["regions"][region] for patient in patients]
        told[region] = {level: average(rows, policy) for level, average in LEVELS.items()}
    if len(regions) > 1:
        told["mean"] = {
            level: over_regions([told[region][level] for region in regions]) for level in LEVELS
        }
    return {
        region: {
            level: {name: asdict(mean) for name, mean in means.items()}
            for level, means in levels.items()
        }
        for region, levels in told.items()
    }


def over_regions(regions: Sequence[Means]) -> Means:
    """Return the mean of the regions' means; `n` counts patients times regions."""
    return {
        name: Mean(
            _mean([region[name].mean for region in regions]),
            sum(region[name].n_used for region in regions),
            sum(region[name].n_total for region in regions),
        )
        for name in regions[0]
    }


def _means(cases: Sequence[Mapping[str, float | None]]) -> Means:
    names = dict.fromkeys(name for case in cases for name in case)
    columns = {name: [case.get(name) for case in cases] for name in names}
    return {
        name: Mean(_mean(column), sum(value is not None for value in column), len(column))
        for name, column in columns.items()
    }


def _mean(column: Sequence[float | None]) -> float | None:
    defined = [value for value in column if value is not None]
    return math.fsum(defined) / len(defined) if defined else None


def _slices(row: Row) -> Iterator[dict[str, int]]:
    """Yield the counts of each slice; the row of a 2D image is a slice itself."""
    if "slices" not in row:
        yield {name: row[name] for name in COUNTS}
        return
    voxels = sum(row[name] for name in COUNTS) // len(row["slices"])
    for tp, fp, fn in row["slices"]:
        yield {"tp": tp, "fp": fp, "fn": fn, "tn": voxels - tp - fp - fn}
