"""The leakage tax: what a split by slice adds, where one by patient was meant.

Model, recipe and number of slices are the same; only the split differs. In one fold its patients
differ, too, so the interval of the difference is that of two means that have nothing in common.
Over all folds either split tests every slice of every patient once, and patients are compared with
themselves.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.judging import differences, statistics, wording
from benchmarks.comparison.judging.wording import Evidence
from benchmarks.errors import UserError
from benchmarks.findings.evidence import needed_runs as recorded
from benchmarks.findings.evidence import paired, published_ways
from benchmarks.findings.evidence.needed_runs import Conditions, Runs, of_protocols
from benchmarks.protocols import protocol
from benchmarks.records.record import Record

SUMMARY = "what a split by slice adds to the Dice of a split by patient"
MODELS = "unet,sa_unet"
SUFFIX = "_leaky"
LEVELS = ("patients", "pooled voxels", "slices with\nany mask", "slices,\nsmooth = 100")


def conditions(base: str) -> Conditions:
    """Return the protocol and its twin whose split is by slice."""
    leaky = base + SUFFIX
    if leaky not in protocol.names():
        known = [n.removesuffix(SUFFIX) for n in protocol.names() if n.endswith(SUFFIX)]
        raise UserError(
            f"Expected a protocol that has a leaky twin: {', '.join(known)}. Received: {base!r}. "
            f"A file {leaky}.py beside it, with leaky=True in its data, makes one."
        )
    return of_protocols(base, leaky)


def rows(runs: Runs) -> list[dict[str, Any]]:
    """Return, for each model and level, the Dice under both splits and what lies between."""
    found = []
    for model, by_protocol in runs.items():
        recorded.require_equal("fingerprint", *by_protocol.values())
        found += [{"model": model} | row for row in _levels(*by_protocol.values())]
    return _judged(found)


def _levels(sound: Sequence[Record], leaky: Sequence[Record]) -> Iterator[dict[str, Any]]:
    sides = [dict(sorted(recorded.patients(records).items())) for records in (sound, leaky)]
    same = _slice_counts(sides[0]) == _slice_counts(sides[1])
    for level in LEVELS:
        first, second = (published_ways.columns(patients, level) for patients in sides)
        ours, theirs = published_ways.interval(first), published_ways.interval(second)
        common = _correlation(first, second) if same else 0.0
        told: dict[str, Any] = {"mean over": level.replace("\n", " ")}
        told |= recorded.told("by patient", ours) | {"by patient patients": len(first)}
        told |= recorded.told("by slice", theirs) | {"by slice patients": len(second)}
        told |= recorded.told("tax", differences.difference(theirs, ours, common))
        told |= {"patients compared": len(first) if same else 0, "folds": 1, "p": math.nan}
        if same and level == LEVELS[0]:
            told |= _tested(first, second, list(sides[0]), sound)
        yield told


def _slice_counts(patients: Mapping[str, Sequence[np.ndarray]]) -> dict[str, int]:
    return {name: len(slices[0]) for name, slices in patients.items()}


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return that of what each patient adds to two ratios of sums."""
    parts = (
        ratios[:, [0]] - published_ways.value(ratios) * ratios[:, [1]] for ratios in (first, second)
    )
    return float(differences.correlation(*parts)[0])


def _tested(
    first: np.ndarray, second: np.ndarray, names: Sequence[str], sound: Sequence[Record]
) -> dict[str, Any]:
    """Return the p of a difference by patient, and of how many folds it knows the effect."""
    scores = [dict(zip(names, side[:, 0] / side[:, 1], strict=True)) for side in (first, second)]
    told = paired.of_scores(
        ("by patient", scores[0]), ("by slice", scores[1]), [paired.tested(one) for one in sound]
    )
    return {name: told[name] for name in ("p", "folds")}


def _judged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add what Holm makes of the p of those that were tested, and the verdict of each."""
    adjusted = statistics.holm(np.array([row["p"] for row in rows]))
    tests = int(np.sum(~np.isnan(adjusted)))
    for row, p in zip(rows, adjusted.tolist(), strict=True):
        bounds = row["tax lower"], row["tax upper"]
        compared, folds = row["patients compared"], row.pop("folds")
        evidence = Evidence(p, *bounds, compared, folds=folds, tests=tests)
        row |= {"p holm": p, "verdict": wording.verdict(evidence)}
    return rows


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw both splits for each model and level."""
    from benchmarks.plots.of_findings import pairs

    return pairs.dumbbells(
        [
            pairs.Pair(
                f"{row['model']}\n{row['mean over']}",
                pairs.point(row, "by patient"),
                pairs.point(row, "by slice"),
                f"{row['tax']:+.3f}".replace("-", "−"),
            )
            for row in rows
        ],
        ("split by patient", "split by slice"),
        "Dice on the test set, with 95 % intervals over patients",
    )
