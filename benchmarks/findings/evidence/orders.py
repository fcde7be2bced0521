"""Whether an order of models survives other terms: each model, ranked under two or more of them."""

from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.judging import statistics
from benchmarks.findings.evidence import paired
from benchmarks.findings.evidence.needed_runs import Runs


def rows(runs: Runs) -> list[dict[str, Any]]:
    """Return each model under the first condition beside each other one, best of the first ahead.

    `pairs kept` are the other models that stand on the same side of it under both.
    """
    told = {
        (model, name): paired.row(("first", by_condition[first]), ("other", records))
        for model, by_condition in runs.items()
        for first, *others in [list(by_condition)]
        for name, records in ((other, by_condition[other]) for other in others)
    }
    found = []
    for name in dict.fromkeys(name for _, name in told):
        own = {model: row for (model, other), row in told.items() if other == name}
        before, after = (
            np.array([row[side] for row in own.values()]) for side in ("first", "other")
        )
        kept = pairs_kept(before, after)
        for place, (model, row) in enumerate(own.items()):
            first, *_ = runs[model]
            places = {
                "first rank": int(statistics.ranks(before)[place]),
                "other rank": int(statistics.ranks(after)[place]),
                "pairs kept": int(kept[place].sum()),
                "pairs": len(own) - 1,
            }
            cost = _cost("first", runs[model][first]) | _cost("other", runs[model][name])
            names = {"model": model, "first terms": first, "other terms": name}
            found.append(names | row | places | cost)
    return sorted(paired.judged(found), key=lambda row: (row["other terms"], row["first rank"]))


def pairs_kept(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return for each two models whether the same one leads both times; a tie leads nowhere."""
    kept = np.zeros((len(before), len(before)), bool)
    for one, other in combinations(range(len(before)), 2):
        gains = (before[one] - before[other]) * (after[one] - after[other])
        kept[one, other] = kept[other, one] = gains > 0
    return kept


def _cost(side: str, records) -> dict[str, float]:
    """Return the multiply-adds of one inference, the parameters, and the minutes of a training."""
    return {
        f"{side} gmacs": float(records[0].cost["gmacs"]),
        f"{side} million parameters": float(records[0].cost["params"]) / 1e6,
        f"{side} minutes": float(np.mean([one.training["seconds"] for one in records]) / 60),
    }


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw every model's Dice and rank, the first terms and then each other."""
    from benchmarks.plots import ranks

    terms = [rows[0]["first terms"], *dict.fromkeys(row["other terms"] for row in rows)]
    models = list(dict.fromkeys(row["model"] for row in rows))

    def of(what: str, first: str) -> dict[str, list[Any]]:
        mine = {model: [row for row in rows if row["model"] == model] for model in models}
        return {model: [own[0][first], *(row[what] for row in own)] for model, own in mine.items()}

    return ranks.values_and_ranks(of("other", "first"), of("other rank", "first rank"), terms)
