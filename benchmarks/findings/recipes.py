"""The author's recipe against the common one: same network, same patients, another training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.findings.evidence import paired
from benchmarks.findings.evidence.needed_runs import Conditions, Runs, of_protocols
from benchmarks.records.record import Record

SUMMARY = "what a card's own recipe gives beside the recipe that is common to all"
MODELS = "sa_unet,attention_unet,deeplabv3plus"


def conditions(base: str) -> Conditions:
    """Return the common protocol, and the authors' over its data."""
    return of_protocols(base, f"author_{base}")


def rows(runs: Runs) -> list[dict[str, Any]]:
    """Return for each model both means, and their difference on the same patients, tested."""
    found = []
    for model, (common, author) in ((m, by.values()) for m, by in runs.items()):
        told = paired.row(("common", common), ("author", author))
        told |= _effort("common", common) | _effort("author", author)
        found.append({"model": model} | told)
    return paired.judged(found)


def _effort(name: str, records: Sequence[Record]) -> dict[str, float]:
    return {
        f"{name} epochs": float(np.mean([one.training["epochs"] for one in records])),
        f"{name} minutes": float(np.mean([one.training["seconds"] for one in records]) / 60),
    }


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw both recipes for each model."""
    from benchmarks.plots.of_findings import pairs

    return pairs.dumbbells(
        [
            pairs.Pair(
                f"{row['model']}",
                pairs.point(row, "common"),
                pairs.point(row, "author"),
                paired.note(row),
            )
            for row in rows
        ],
        ("common recipe", "author's recipe"),
        "Dice of the test patients: mean with 95 % interval",
    )
