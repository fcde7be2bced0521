"""A BatchNorm shared over a recurrence: what statistics of their own, or new ones, are worth.

The published form beside the variants that mend it, and beside both with their statistics estimated
anew. `own_statistics` is trained as the published form is, bit for bit: what differs is inference,
and through validation which epoch is kept.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.findings.evidence import paired
from benchmarks.findings.evidence.needed_runs import Conditions, Runs
from benchmarks.records.record import Record

SUMMARY = "what a recurrence's shared BatchNorm costs, and what mends it"
MODELS = "ar2_unet,mod_r2au"
PUBLISHED = "published"
FORMS: Conditions = {
    PUBLISHED: {},
    "published, recalibrated": {"recalibrate": True},
    "own_statistics": {"variant": "own_statistics"},
    "own_statistics, recalibrated": {"variant": "own_statistics", "recalibrate": True},
    "own_norms": {"variant": "own_norms"},
}


def conditions(base: str) -> Conditions:
    """Return the forms, under one protocol."""
    return {form: {"protocol": base, **changes} for form, changes in FORMS.items()}


def rows(runs: Runs) -> list[dict[str, Any]]:
    """Return for each model and form what it has over the published one, on the same patients."""
    found = []
    for model, by_form in runs.items():
        published = by_form[PUBLISHED]
        for form in (form for form in by_form if form != PUBLISHED):
            told = paired.row((PUBLISHED, published), ("other", by_form[form]))
            told |= _trained(PUBLISHED, published) | _trained("other", by_form[form])
            found.append({"model": model, "form": form} | told | {"seeds": len(published)})
    return paired.judged(found)


def _trained(name: str, records: Sequence[Record]) -> dict[str, float]:
    """Return how far validation is from training at the end, and what probabilities are worth."""
    last = [one.history[-1] for one in records]
    errors = [region["ece"] for one in records for region in one.calibration.values()]
    return {
        f"{name} loss": float(np.mean([row["loss"] for row in last])),
        f"{name} val loss": float(np.mean([row["val_loss"] for row in last])),
        f"{name} ece": float(np.mean(errors)) if errors else math.nan,
    }


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw the published form and each other for each model."""
    from benchmarks.plots.of_findings import pairs

    return pairs.dumbbells(
        [
            pairs.Pair(
                f"{row['model']}\n{row['form']}",
                pairs.point(row, PUBLISHED),
                pairs.point(row, "other"),
                paired.note(row),
            )
            for row in rows
        ],
        ("published form", "other form"),
        "Dice of the test patients: mean with 95 % interval",
    )
