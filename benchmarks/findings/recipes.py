"""The author's recipe against the common one: same network, same patients, another training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.judging import differences, intervals, statistics, wording
from benchmarks.comparison.judging.wording import Evidence
from benchmarks.findings import needed_runs as recorded
from benchmarks.findings.needed_runs import Runs
from benchmarks.records.record import Record
from benchmarks.scoring import aggregate

SUMMARY = "what a card's own recipe gives beside the recipe that is common to all"
MODELS = "sa_unet,attention_unet,deeplabv3plus"


def protocols(base: str) -> tuple[str, ...]:
    """Return the common protocol, and the authors' over its data."""
    return base, f"author_{base}"


def rows(runs: Runs) -> list[dict[str, Any]]:
    """Return for each model both means, and their difference on the same patients, tested."""
    found = []
    for model, (common, author) in ((m, by.values()) for m, by in runs.items()):
        recorded.require_equal("split_digest", (*common, *author))
        scores = np.stack([_dice(common), _dice(author)], axis=1)
        gap = scores[:, 1] - scores[:, 0]
        told: dict[str, Any] = {"model": model, "patients": len(gap)}
        for place, (name, records) in enumerate((("common", common), ("author", author))):
            told |= recorded.told(name, intervals.intervals(scores[:, [place]]))
            told[f"{name} epochs"] = float(np.mean([one.training["epochs"] for one in records]))
            told[f"{name} minutes"] = float(
                np.mean([one.training["seconds"] for one in records]) / 60
            )
        found.append(
            told
            | recorded.told("difference", differences.paired(scores, np.array([1]), np.array([0])))
            | {"p": statistics.paired_p(np.round(gap, 12))}
        )
    adjusted = statistics.holm(np.array([row["p"] for row in found]))
    tested = [row | {"p holm": float(p)} for row, p in zip(found, adjusted, strict=True)]
    return [row | {"verdict": _verdict(row, len(tested))} for row in tested]


def _verdict(row: dict[str, Any], tests: int) -> str:
    """Say how the author's recipe stands to the common one; a second seed isn't tested here."""
    bounds = row["difference lower"], row["difference upper"]
    return wording.verdict(Evidence(row["p holm"], *bounds, row["patients"], tests=tests))


def _dice(records: Sequence[Record]) -> np.ndarray:
    """Return each patient's Dice, the mean over regions and seeds, in the order of their ids."""
    by_patient: dict[str, list[float]] = {}
    for one in records:
        policy = one.protocol["evaluate"]["policy"]
        for region in one.patients[0]["regions"]:
            for patient, values in aggregate.per_patient(one.patients, region, policy).items():
                dice = values["dice"]
                by_patient.setdefault(patient, []).append(np.nan if dice is None else dice)
    return np.array([np.nanmean(by_patient[patient]) for patient in sorted(by_patient)])


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw both recipes for each model."""
    from benchmarks.plots import pairs

    return pairs.dumbbells(
        [
            pairs.Pair(
                f"{row['model']}",
                pairs.point(row, "common"),
                pairs.point(row, "author"),
                f"{row['difference']:+.3f}".replace("-", "−") + f", p = {row['p holm']:.2g}",
            )
            for row in rows
        ],
        ("common recipe", "author's recipe"),
        "Dice of the test patients: mean with 95 % interval",
    )
