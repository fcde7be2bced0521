"""Slices or volumes: the same architectures in 2D and in 3D, on the same patients, scored alike.

Both protocols are sized for the same two cores and not for the same compute, so each row says what
its trainings cost, and what both had reached in validation when the dearer one had spent as many
multiply-adds as the cheaper one in all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.reading import budgets
from benchmarks.errors import UserError
from benchmarks.findings.evidence import paired
from benchmarks.findings.evidence.needed_runs import Conditions, Runs
from benchmarks.protocols import protocol
from benchmarks.records.record import Record

SUMMARY = "whether volumes are better than slices, on the same patients"
MODELS = "mod_r2au,res_attention_unet,sa_unet"
SLICES, VOLUMES = "slices", "volumes"


def conditions(base: str) -> Conditions:
    """Return a protocol for slices, and its twin for volumes."""
    twin = protocol.twin_of(base)
    if twin is None:
        known = [
            name for name in protocol.names() if name != protocol.AUTHOR and protocol.twin_of(name)
        ]
        raise UserError(
            f"Expected a protocol that has a twin of the other rank: {', '.join(known)}. "
            f"Received: {base!r}."
        )
    names = (base, twin) if protocol.shipped(base).data.rank == 2 else (twin, base)
    return {side: {"protocol": name} for side, name in zip((SLICES, VOLUMES), names, strict=True)}


def rows(runs: Runs) -> list[dict[str, Any]]:
    """Return each model and region: both ways, what volumes have over slices, and the cost."""
    found = []
    for model, by_side in runs.items():
        for region in by_side[SLICES][0].patients[0]["regions"]:
            told = paired.row((SLICES, by_side[SLICES]), (VOLUMES, by_side[VOLUMES]), region)
            found.append({"model": model, "region": region} | told | _cost(by_side))
    return paired.judged(found)


def _cost(by_side: Mapping[str, Sequence[Record]]) -> dict[str, float]:
    """Return what a training of either side cost, and where both stood at the same cost."""
    courses = {side: [budgets.course(one) for one in by_side[side]] for side in (SLICES, VOLUMES)}
    least = min(float(one.tera_macs[-1]) for several in courses.values() for one in several)
    told: dict[str, float] = {}
    for side, several in courses.items():
        told |= {
            f"{side} minutes": float(np.mean([one.seconds[-1] for one in several]) / 60),
            f"{side} tera multiply-adds": float(np.mean([one.tera_macs[-1] for one in several])),
            f"{side} validation at equal cost": float(
                np.mean([one.at_cost(least) for one in several])
            ),
        }
    return told


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw both ways for each model and region."""
    from benchmarks.plots.of_findings import pairs

    return pairs.dumbbells(
        [
            pairs.Pair(
                f"{row['model']}\n{row['region']}",
                pairs.point(row, SLICES),
                pairs.point(row, VOLUMES),
                paired.note(row),
            )
            for row in rows
        ],
        (SLICES, VOLUMES),
        "Dice of the test patients: mean with 95 % interval",
    )
