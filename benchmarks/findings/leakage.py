"""The leakage tax: what a split by slice adds, where one by patient was meant.

Model, recipe and number of slices are the same; only the split differs. Its patients differ, too,
so the intervals are those of two independent bootstraps over patients.
"""

from itertools import chain
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks import protocol
from benchmarks.errors import UserError
from benchmarks.findings import runs as recorded
from benchmarks.findings import ways
from benchmarks.findings.runs import Runs

SUMMARY = "what a split by slice adds to the Dice of a split by patient"
MODELS = "unet,sa_unet"
SUFFIX = "_leaky"
LEVELS = ("patients", "slices with\nany mask", "pooled voxels")


def protocols(base: str) -> tuple[str, ...]:
    """Return the protocol and its twin whose split is by slice."""
    leaky = base + SUFFIX
    if leaky not in protocol.names():
        known = [n.removesuffix(SUFFIX) for n in protocol.names() if n.endswith(SUFFIX)]
        raise UserError(
            f"Expected a protocol that has a leaky twin: {', '.join(known)}. Received: {base!r}. "
            f"A file {leaky}.py beside it, with leaky=True in its data, makes one."
        )
    return base, leaky


def rows(runs: Runs) -> list[dict[str, Any]]:
    """Return, for each model and level, the Dice under both splits and what lies between."""
    found = []
    for model, by_protocol in runs.items():
        recorded.require_equal("fingerprint", chain(*by_protocol.values()))
        both = [recorded.patients(records) for records in by_protocol.values()]
        for level in LEVELS:
            pair = [ways.columns(patients, level) for patients in both]
            drawn = [ways.resampled(ratios, seed) for seed, ratios in enumerate(pair)]
            found.append(_row(model, level, pair, drawn))
    return found


def _row(model: str, level: str, pair: list[np.ndarray], drawn: list[np.ndarray]) -> dict[str, Any]:
    (by_patient, by_slice), (first, second) = map(ways.value, pair), drawn
    told: dict[str, Any] = {"model": model, "mean over": level.replace("\n", " ")}
    for name, value, draws, ratios in (
        ("by patient", by_patient, first, pair[0]),
        ("by slice", by_slice, second, pair[1]),
    ):
        lower, upper = _interval(draws)
        told |= {name: value, f"{name} lower": lower, f"{name} upper": upper}
        told |= {f"{name} patients": len(ratios)}
    lower, upper = _interval(second - first)
    return told | {"tax": by_slice - by_patient, "tax lower": lower, "tax upper": upper}


def _interval(draws: np.ndarray) -> tuple[float, float]:
    lower, upper = np.nanquantile(draws, [0.025, 0.975])
    return float(lower), float(upper)


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw both splits for each model and level."""
    from benchmarks.plots import pairs

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
