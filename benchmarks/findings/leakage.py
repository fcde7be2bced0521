"""The leakage tax: what a split by slice adds, where one by patient was meant.

Model, recipe and number of slices are the same; only the split differs. Its patients differ, too,
so the interval of the difference is that of two means that have nothing in common.
"""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.judging import differences, wording
from benchmarks.comparison.judging.intervals import Intervals
from benchmarks.comparison.judging.wording import Evidence
from benchmarks.errors import UserError
from benchmarks.findings.evidence import needed_runs as recorded
from benchmarks.findings.evidence import published_ways
from benchmarks.findings.evidence.needed_runs import Conditions, Runs, of_protocols
from benchmarks.protocols import protocol

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
        both = [recorded.patients(records) for records in by_protocol.values()]
        for level in LEVELS:
            first, second = (published_ways.columns(patients, level) for patients in both)
            told: dict[str, Any] = {"model": model, "mean over": level.replace("\n", " ")}
            sound, leaky = published_ways.interval(first), published_ways.interval(second)
            told |= recorded.told("by patient", sound) | {"by patient patients": len(first)}
            told |= recorded.told("by slice", leaky) | {"by slice patients": len(second)}
            tax = differences.difference(leaky, sound, 0.0)
            found.append(told | recorded.told("tax", tax) | {"verdict": _verdict(tax, first)})
    return found


def _verdict(tax: Intervals, patients: np.ndarray) -> str:
    """Say how by slice stands to by patient: other patients, so nothing was tested."""
    return wording.verdict(
        Evidence(math.nan, float(tax.lower[0]), float(tax.upper[0]), len(patients))
    )


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
