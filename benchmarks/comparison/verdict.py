"""The comparison in words: what may be concluded from it, and what not."""

import math
from collections.abc import Sequence

from benchmarks.comparison.judging.rank_orders import Order
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.judging.wording import ALPHA, LEVEL, scope, too_few

SHOWN = 3  # pairs that swap places, before the rest is counted


def conclusions(table: Table) -> list[str]:
    """Say what the table shows."""
    leader = table.models[0]
    found = table.estimates.get((leader, table.regions[0], "dice"))
    if found is None:
        return ["No model has a defined Dice."]
    told = [
        f"{leader} has the highest mean Dice, {found.mean:.3f} under policy '{table.policy}', over "
        f"{found.n_used} of {found.n_total} patients{_interval(found.ci_lower, found.ci_upper)}."
    ]
    if len(table.models) > 1:
        told.append(_beaten(table, leader))
        told.append(_pairs(table))
    return told


def _interval(lower: float, upper: float) -> str:
    return f" (95 % interval {lower:.3f} to {upper:.3f})" if lower == lower else ""


def _beaten(table: Table, leader: str) -> str:
    pairs = [table.against(leader, model) for model in table.models[1:]]
    beaten = [pair.second for pair in pairs if pair and pair.distinguishable]
    level = [pair.second for pair in pairs if pair and not pair.distinguishable]
    if not beaten:
        return f"{leader} {LEVEL} from any other model on these patients."
    others = listed(beaten) if level else "every other model"
    told = f"{leader} is distinguishably better than {others} {scope(_seeds(table), _folds(table))}"
    return f"{told}; it {LEVEL} from {listed(level)}." if level else f"{told}."


def _seeds(table: Table) -> int:
    """Return how many seeds the tests heard of: 1 where no model has more."""
    counts = [len(table.standings[model].seeds) for model in table.models]
    return max(counts) if table.scatter.freedom else 1


def _folds(table: Table) -> int:
    """Return how many folds the tests heard of: 1 where they did not part patients."""
    tested = any(pair.p_folds == pair.p_folds for pair in table.contrasts.values())
    return len(table.terms.splits) if tested else 1


def _pairs(table: Table) -> str:
    pairs = [pair for pair in table.contrasts.values() if pair.difference >= 0]
    unique = {frozenset((pair.first, pair.second)): pair for pair in pairs}
    sure = sum(pair.distinguishable for pair in unique.values())
    return f"Of {counted(len(unique), 'pair')} of models, {sure} can be told apart."


def reservations(table: Table) -> list[str]:
    """Say what the table does not show."""
    told = []
    told += _too_few(table)
    if table.terms.leaky:
        told.append("The split shares patients between training and test: scores are inflated.")
    seeds = {model: len(table.standings[model].seeds) for model in table.models}
    single = [model for model, count in seeds.items() if count == 1]
    if single:
        each = f", anew for each of {len(table.terms.splits)} folds" if _folds(table) > 1 else ""
        told.append(
            f"{_whose(single, len(seeds))} trained with one seed{each}: intervals are over "
            "patients and say nothing about another training."
        )
    told += _scattered(table)
    if not table.in_mm:
        told.append("The files state no voxel size: distances and volumes count voxels, not mm.")
    told += _moved(table.orders)
    told += _missing(table)
    return told


def _too_few(table: Table) -> list[str]:
    """Say where even equal signs on all patients would not make a signed-rank test significant."""
    pairs, patients = len(table.contrasts) // 2, len(table.patients)
    if not pairs or not too_few(patients, pairs):
        return []
    return [
        f"With {counted(patients, 'patient')} and {counted(pairs, 'pair')} of models no paired "
        f"test can reach an adjusted p below {ALPHA}: every difference is ~, however large."
    ]


def _whose(models: Sequence[str], total: int) -> str:
    if len(models) == total:
        return "Every model was"
    return f"{listed(models)} {'was' if len(models) == 1 else 'were'}"


def _scattered(table: Table) -> list[str]:
    """Say how far another training moves a mean, beside which a difference of means is small."""
    if not table.scatter.freedom:
        return []
    spreads = {model: table.standings[model].seed_spread for model in table.models}
    known = {model: spread for model, spread in spreads.items() if not math.isnan(spread)}
    least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    of = f", from {known[least]:.3f} ({least}) to {known[most]:.3f} ({most})"
    return [
        f"From seed to seed a mean Dice scatters with a standard deviation of "
        f"{table.scatter.spread:.3f}{of if least != most else ''}: models are told apart where "
        "neither patients nor seeds explain their difference; intervals are over patients."
    ]


def _moved(orders: Sequence[Order]) -> list[str]:
    """Name the ways of counting under which the order changes."""
    alike: dict[tuple, list[Order]] = {}
    for order in orders[1:]:
        if order.swaps:
            alike.setdefault((order.level, order.swaps), []).append(order)
    told = []
    for (level, swaps), several in alike.items():
        policies = " and ".join(f"'{order.policy}'" for order in several)
        pairs = [f"{a} with {b}" for a, b in swaps[:SHOWN]]
        if len(swaps) > SHOWN:
            pairs.append(counted(len(swaps) - SHOWN, "more pair"))
        told.append(
            f"By {level} under {policies} the order changes, Kendall's tau {several[0].tau:.2f}: "
            f"{listed(pairs)} {'swaps' if len(pairs) == 1 else 'swap'} places."
        )
    return told


def _missing(table: Table) -> list[str]:
    region = table.regions[0]
    found = {model: table.estimates.get((model, region, "dice")) for model in table.models}
    counts = [
        f"{model} ({one.n_used} of {one.n_total})"
        for model, one in found.items()
        if one and one.n_used < one.n_total
    ]
    return [f"Mean Dice leaves out undefined patients: {listed(counts)}."] if counts else []


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, one or many."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str]) -> str:
    """Join names with commas and an `and`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
