"""Metric sensitivity: the same masks, scored in the ways that the field scores them."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.judging import statistics
from benchmarks.findings.evidence import batches, published_ways
from benchmarks.findings.evidence import needed_runs as recorded
from benchmarks.findings.evidence.needed_runs import EIGHT, Conditions, Runs, of_protocols

SUMMARY = "how Dice and ranks move with the policy for empty masks and the way to average"
MODELS = EIGHT
WAYS = (*published_ways.WAYS, batches.WAY)


def conditions(base: str) -> Conditions:
    """Return the protocol alone: nothing is trained anew."""
    return of_protocols(base)


def rows(runs: Runs) -> list[dict[str, Any]]:
    """Return each model's Dice and rank in every way, the best of the first way first."""
    patients = {
        model: recorded.patients(*by_protocol.values()) for model, by_protocol in runs.items()
    }
    batched = np.array([batches.shuffled(own) for own in patients.values()])
    plain = [
        [published_ways.value(published_ways.columns(own, way)) for own in patients.values()]
        for way in published_ways.WAYS
    ]
    dice = np.array([*plain, batched[:, 0]])
    ranks = statistics.ranks(dice)
    models = list(patients)
    return [
        {
            "model": models[column],
            "way": way.replace("\n", " "),
            "dice": float(dice[place, column]),
            "rank": int(ranks[place, column]),
            "sd over orders": float(batched[column, 1]) if way == batches.WAY else 0.0,
        }
        for column in np.argsort(ranks[0], kind="stable")
        for place, way in enumerate(WAYS)
    ]


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw values above ranks, a line a model."""
    from benchmarks.plots import ranks

    models = list(dict.fromkeys(row["model"] for row in rows))

    def of(name: str) -> dict[str, list[Any]]:
        return {model: [row[name] for row in rows if row["model"] == model] for model in models}

    return ranks.values_and_ranks(of("dice"), of("rank"), list(WAYS))
