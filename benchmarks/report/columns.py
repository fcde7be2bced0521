"""The columns of the ranking: what each cell shows, sorts by, and tells on hover."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.estimates import Estimate
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.reading.machine_costs import Cost
from benchmarks.plots import style
from benchmarks.report.html import Html, join, tag
from benchmarks.tables import cells

METRICS = ("dice", "iou", "precision", "sensitivity", "hd95", "nsd_2mm")


@dataclass(frozen=True)
class Column:
    """A column: its heading, what a cell shows and what it is sorted by; `hint` shows on hover."""

    heading: str
    cell: Callable[[str], object]
    key: Callable[[str], float | str | None]
    hint: Callable[[str], str | None] = lambda model: None
    numeric: bool = True


def columns_of(comparison: Comparison, table: Table) -> list[Column]:
    """Return what the ranking shows: place, name, metrics, difference, size, speed, claim."""
    setting = comparison.setting(table)
    cost = {model: comparison.cost(model, setting) for model in table.models}
    columns = [
        Column(
            "Rank",
            lambda model: cells.rank(table.standings[model]),
            lambda model: table.standings[model].rank,
            lambda model: "Rank by mean Dice; in brackets where other patients might put it",
        ),
        Column("Model", lambda model: _name(table, model), lambda model: model, numeric=False),
    ]
    columns += [_metric(table, name) for name in METRICS if name in table.metrics]
    if comparison.baseline in table.models and len(table.models) > 1:
        columns.append(_difference(comparison, table))
    if any(found.number for found in table.empties.values()):
        columns.append(_empty(table))
    columns += [
        _cost("Params (M)", cost, lambda one: one.params / 1e6 if one.params else None),
        _cost("GMACs", cost, lambda one: one.gmacs),
        _cost("Images/s", cost, lambda one: one.infer_samples_per_sec, f"Measured on {setting}"),
    ]
    if any(_claimed(comparison, table, model) for model in table.models):
        columns.append(
            Column(
                "Dice claimed",
                lambda model: _claimed(comparison, table, model) or cells.ABSENT,
                lambda model: _claimed(comparison, table, model),
                lambda model: "As its authors printed it; † their split leaks. Never ranked.",
                numeric=False,
            )
        )
    return columns


def _name(table: Table, model: str) -> Html:
    return join(mark(table, model), tag("span", model))


def mark(table: Table, model: str) -> Html:
    """Return a model's colour as a dot, the same as in every figure."""
    look = style.looks(table.models)[model]
    circle = tag(
        "circle",
        cx="6",
        cy="6",
        r="4.5",
        fill="none" if look.hollow else look.colour,
        stroke=look.colour,
        stroke_width="2",
    )
    return tag("svg", circle, class_="mark", viewBox="0 0 12 12", aria_hidden="true")


def _metric(table: Table, name: str) -> Column:
    def found(model: str) -> Estimate | None:
        return table.estimates.get((model, table.regions[0], name))

    def cell(model: str) -> object:
        one = found(model)
        if one is None:
            return cells.ABSENT
        mean = cells.number(one.mean, cells.decimals(name))
        return join(mean, _whisker(table, model)) if name == "dice" else mean

    def hint(model: str) -> str | None:
        one = found(model)
        return describe(one, name) if one else None

    return Column(
        cells.label(name, table.in_mm),
        cell,
        lambda model: one.mean if (one := found(model)) else None,
        hint,
    )


def describe(one: Estimate, metric: str) -> str:
    """Return an estimate in words."""
    places = cells.decimals(metric)
    return (
        f"Mean {cells.number(one.mean, places)}, 95 % interval "
        f"{cells.interval(one.ci_lower, one.ci_upper, places)}, median "
        f"{cells.number(one.median, places)}, middle half {cells.number(one.q1, places)} to "
        f"{cells.number(one.q3, places)}, {one.n_used} of {one.n_total} patients"
    )


def _whisker(table: Table, model: str) -> Html | None:
    """Draw the interval of Dice on a scale that all rows share."""
    found = {
        name: one
        for name in table.models
        if (one := table.estimates.get((name, table.regions[0], "dice")))
        and one.ci_lower == one.ci_lower
    }
    if model not in found:
        return None
    low = min(one.ci_lower for one in found.values())
    span = max(one.ci_upper for one in found.values()) - low or 1.0
    colour = style.looks(table.models)[model].colour

    def at(value: float) -> str:
        return f"{4 + 92 * (value - low) / span:.1f}"

    one = found[model]
    line = tag(
        "line",
        x1=at(one.ci_lower),
        x2=at(one.ci_upper),
        y1="6",
        y2="6",
        stroke=colour,
        stroke_width="3",
    )
    dot = tag("circle", cx=at(one.mean), cy="6", r="4", fill=colour)
    return tag("svg", line, dot, class_="whisker", viewBox="0 0 100 12", aria_hidden="true")


def _of(what: str, p: float) -> str:
    return "" if math.isnan(p) else f"{what} p {cells.p_value(p)}, "


def _difference(comparison: Comparison, table: Table) -> Column:
    def found(model: str):
        return table.against(model, comparison.baseline)

    def cell(model: str) -> object:
        one = found(model)
        if one is None:
            return cells.ABSENT
        sign = {"+": "▲", "-": "▼", "~": "~"}[one.sign]
        word = {"+": "better", "-": "worse", "~": "not distinguishable"}[one.sign]
        return join(
            tag("span", sign, class_=f"sign {word.split()[-1]}", title=word, aria_hidden="true"),
            tag("span", f"{word}, ", class_="hidden"),
            " ",
            cells.signed(one.difference),
        )

    def hint(model: str) -> str | None:
        one = found(model)
        if one is None:
            return None
        return (
            f"{cells.signed(one.difference)}, 95 % interval [{cells.signed(one.lower)}, "
            f"{cells.signed(one.upper)}], Wilcoxon p {cells.p_value(one.p)}, "
            f"{_of('folds', one.p_folds)}{_of('seeds', one.p_seeds)}"
            f"adjusted by Holm {cells.p_value(one.p_holm)}, "
            f"rank-biserial effect {cells.signed(one.effect, 2)}, {one.n} patients"
        )

    return Column(
        f"Dice − {cells.printable(comparison.baseline)}",
        cell,
        lambda model: one.difference if (one := found(model)) else None,
        hint,
    )


def _empty(table: Table) -> Column:
    found = {model: table.empties[model, table.regions[0]] for model in table.models}
    return Column(
        "Both masks empty",
        lambda model: cells.empty(found[model]),
        lambda model: found[model].number,
        lambda model: "Values of Dice with nothing to find and nothing drawn, and their part in it",
    )


def _cost(
    heading: str,
    costs: dict[str, Cost | None],
    value: Callable[[Cost], float | None],
    hint: str | None = None,
) -> Column:
    def of(model: str) -> float | None:
        one = costs[model]
        return value(one) if one else None

    return Column(heading, lambda model: cells.short(of(model)), of, lambda model: hint)


def _claimed(comparison: Comparison, table: Table, model: str) -> str:
    name = table.runs(model)[0].record.run["model"]
    return ", ".join(
        f"{claim.metrics['dice']:g}{claim.mark} {claim.dataset}"
        for claim in comparison.claims
        if claim.model == name and "dice" in claim.metrics
    )
