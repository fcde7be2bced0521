"""Two ways to train or to infer, on the same patients: both means, their difference, tested."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.comparison.judging import (
    differences,
    fold_effects,
    intervals,
    statistics,
    wording,
)
from benchmarks.comparison.judging.fold_effects import Tested
from benchmarks.comparison.judging.wording import Evidence
from benchmarks.comparison.reading.scores import split_of
from benchmarks.findings.evidence import needed_runs as recorded
from benchmarks.records.record import Record
from benchmarks.scoring import aggregate

Scores = tuple[str, Mapping[str, float]]  # what it is called, and its Dice by patient
Side = tuple[str, Sequence[Record]]  # what it is called, and its records, one a seed and fold


def row(first: Side, second: Side, region: str | None = None) -> dict[str, Any]:
    """Return both sides' mean Dice over regions, or of one, and the second less the first, with p.

    It is that of the signed ranks; over several folds that of the fold's effect, if it is larger.
    """
    recorded.require_equal("split_digest", first[1], second[1])
    one, other = ((name, dice(records, region)) for name, records in (first, second))
    return of_scores(one, other, [tested(each) for each in (*first[1], *second[1])])


def of_scores(first: Scores, second: Scores, runs: Sequence[Tested] = ()) -> dict[str, Any]:
    """Compare scores by patient; `runs` tell the folds that they come from."""
    sides = [first, second]
    patients = sorted(first[1])
    scores = np.array([[own[patient] for _, own in sides] for patient in patients])
    told: dict[str, Any] = {"patients": len(patients)}
    for place, (name, _) in enumerate(sides):
        told |= recorded.told(name, intervals.intervals(scores[:, [place]]))
    gap = differences.paired(scores, np.array([1]), np.array([0]))
    gaps = np.round(scores[:, [1]] - scores[:, [0]], 12)
    p = statistics.paired_p(gaps[:, 0])
    folds = fold_effects.folds(runs, patients)
    if folds:
        p = max(p, float(fold_effects.errors_of_pairs(gaps, folds).p(gap.mean)[0]))
    told |= {"folds": folds.count if folds else 1}
    return told | recorded.told("difference", gap) | {"p": p}


def judged(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add to rows that are tested together what Holm makes of their p, and the verdict.

    A second seed is averaged over and not tested, so a verdict is one for single trainings, or for
    one training a fold.
    """
    rows = list(rows)
    adjusted = statistics.holm(np.array([row["p"] for row in rows]))
    tested = [row | {"p holm": float(p)} for row, p in zip(rows, adjusted, strict=True)]
    return [row | {"verdict": _verdict(row, len(tested))} for row in tested]


def note(row: dict[str, Any]) -> str:
    """Return what stands at the end of a row of a figure."""
    return f"{row['difference']:+.3f}".replace("-", "−") + f", p = {row['p holm']:.2g}"


def _verdict(row: dict[str, Any], tests: int) -> str:
    bounds = row["difference lower"], row["difference upper"]
    evidence = Evidence(row["p holm"], *bounds, row["patients"], folds=row["folds"], tests=tests)
    return wording.verdict(evidence)


def tested(one: Record) -> Tested:
    """Return what a record says of its fold."""
    patients = {str(patient["patient"]) for patient in one.patients}
    return Tested(split_of(one), patients, one.data.get("n_train"))


def dice(records: Sequence[Record], region: str | None = None) -> dict[str, float]:
    """Return each patient's Dice, the mean over seeds and, unless one is meant, over regions."""
    by_patient: dict[str, list[float]] = {}
    for one in records:
        policy = one.protocol["evaluate"]["policy"]
        for name in [region] if region else one.patients[0]["regions"]:
            for patient, values in aggregate.per_patient(one.patients, name, policy).items():
                value = values["dice"]
                by_patient.setdefault(patient, []).append(np.nan if value is None else value)
    return {patient: float(np.nanmean(values)) for patient, values in by_patient.items()}
