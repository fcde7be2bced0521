"""Whether an order of models survives other terms: each model, ranked under two or more of them."""

from collections.abc import Callable, Mapping
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
    first, *others = next(iter(runs.values()))
    found = []
    for name in others:
        told = [paired.row(("first", own[first]), ("other", own[name])) for own in runs.values()]
        before, after = (np.array([row[side] for row in told]) for side in ("first", "other"))
        ranks, kept = (
            [statistics.ranks(dice) for dice in (before, after)],
            pairs_kept(before, after),
        )
        for place, (model, own) in enumerate(runs.items()):
            names = {"model": model, "first terms": first, "other terms": name}
            places = {
                "first rank": int(ranks[0][place]),
                "other rank": int(ranks[1][place]),
                "pairs kept": int(kept[place].sum()),
                "pairs": len(runs) - 1,
            }
            cost = _cost("first", own[first]) | _cost("other", own[name])
            found.append(names | told[place] | places | cost)
    return sorted(paired.judged(found), key=lambda row: (row["other terms"], row["first rank"]))


def pairs_kept(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return for each two models whether the same one leads both times; a tie leads nowhere."""
    return np.subtract.outer(before, before) * np.subtract.outer(after, after) > 0


def _cost(side: str, records) -> dict[str, float]:
    """Return the multiply-adds of one inference, the parameters, and the minutes of a training."""
    return {
        f"{side} gmacs": float(records[0].cost["gmacs"]),
        f"{side} million parameters": float(records[0].cost["params"]) / 1e6,
        f"{side} minutes": float(np.mean([one.training["seconds"] for one in records]) / 60),
    }


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw every model's Dice and rank, the first terms and then each other."""
    return _drawn(rows, list)


def figure_by_cost(rows: list[dict[str, Any]]) -> Figure:
    """Draw the same, the terms under which networks cost least ahead."""
    return _drawn(rows, lambda terms: sorted(terms, key=terms.__getitem__))


def _drawn(
    rows: list[dict[str, Any]], ordered: Callable[[Mapping[str, float]], list[str]]
) -> Figure:
    from benchmarks.plots import ranks

    dice: dict[str, dict[str, float]] = {}  # by model, by terms
    place: dict[str, dict[str, int]] = {}
    cost: dict[str, float] = {}  # by terms, of one model
    for side in ("first", "other"):
        for row in rows:
            terms = row[f"{side} terms"]
            dice.setdefault(row["model"], {})[terms] = row[side]
            place.setdefault(row["model"], {})[terms] = row[f"{side} rank"]
            cost.setdefault(terms, row[f"{side} gmacs"])
    columns = ordered(cost)
    values = {model: [told[terms] for terms in columns] for model, told in dice.items()}
    places = {model: [told[terms] for terms in columns] for model, told in place.items()}
    return ranks.values_and_ranks(values, places, columns)
