"""The ranking: a table that sorts and filters, each row with its provenance underneath."""

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.estimates import Estimate
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.verdict import counted
from benchmarks.report.columns import Column, columns_of
from benchmarks.report.html import Html, grid, join, scroll, tag
from benchmarks.tables import cells


def ranking(comparison: Comparison, table: Table, place: int) -> Html:
    """Return the filter and the table."""
    columns = columns_of(comparison, table)
    caption = f"Ranking of table {place}: protocol {table.terms.protocol}"
    rows = [
        row
        for number, model in enumerate(table.models)
        for row in _rows(table, columns, model, f"row-{place}-{number}")
    ]
    body = tag(
        "table",
        tag("caption", caption, class_="hidden"),
        tag("thead", tag("tr", *map(_heading, columns))),
        tag("tbody", *rows),
        class_="sortable",
        id=f"ranking-{place}",
    )
    return join(_filter(f"ranking-{place}", "Filter models"), scroll(body, caption))


def _filter(target: str, label: str) -> Html:
    field = tag("input", type="search", id=f"filter-{target}", data_filter=target, placeholder="…")
    status = tag("output", for_=f"filter-{target}", aria_live="polite")
    return tag(
        "p", tag("label", label, for_=f"filter-{target}"), " ", field, " ", status, class_="filter"
    )


def _heading(column: Column) -> Html:
    button = tag("button", column.heading, type="button")
    kind = "number" if column.numeric else "text"
    return tag("th", button, scope="col", data_kind=kind, class_=_kind(column))


def _kind(column: Column) -> str:
    if column.heading == cells.LABELS["dice"]:
        return "dice"  # with its interval drawn beside it
    return "number" if column.numeric else "text"


def _rows(table: Table, columns: list[Column], model: str, identity: str) -> list[Html]:
    shown = [_cell(column, model, identity) for column in columns]
    detail = tag("td", _detail(table, model), colspan=len(columns))
    return [
        tag("tr", *shown, data_row=cells.printable(model).lower()),
        tag("tr", detail, id=identity, class_="detail", hidden=True),
    ]


def _cell(column: Column, model: str, identity: str) -> Html:
    key = column.key(model)
    sort = "" if key is None or key != key else str(key)
    if column.heading == "Model":
        button = tag(
            "button",
            column.cell(model),
            type="button",
            class_="expand",
            aria_expanded="false",
            aria_controls=identity,
        )
        return tag("th", button, scope="row", data_sort=sort)
    return tag(
        "td",
        column.cell(model),
        data_sort=sort,
        data_tip=column.hint(model),
        class_=_kind(column),
    )


def _detail(table: Table, model: str) -> Html:
    """Return what stands behind a row: every metric, every run, the card's deviations."""
    rows = [
        [
            cells.label(metric, table.in_mm),
            region,
            cells.estimate(one, metric),
            _median(one, metric),
        ]
        for (name, region, metric), one in table.estimates.items()
        if name == model
    ]
    metrics = grid(["Metric", "Region", "Mean [95 %]", "Median"], rows, f"All metrics of {model}")
    return join(_provenance(table, model), metrics)


def _median(one: Estimate, metric: str) -> str:
    return cells.number(one.median, cells.decimals(metric))


def _provenance(table: Table, model: str) -> Html:
    runs = table.runs(model)
    card, standing = runs[0].record.card, table.standings[model]
    spread = cells.number(standing.seed_spread, 4)
    known = {run.record.training.get("threshold") for run in runs} - {None}
    thresholds = sorted(map(str, known))
    items = [
        f"Paper: {card['paper']}" if card.get("paper") else None,
        f"{counted(len(runs), 'run')}: seeds {_numbers(standing.seeds)}, "
        f"folds {_numbers(standing.folds)}",
        f"Spread of mean Dice over seeds: {spread}" if spread != cells.ABSENT else None,
        f"Thresholds: {', '.join(thresholds)}" if thresholds else None,
        *(f"Deviation: {line}" for line in card.get("deviations") or ()),
        *(f"Flaw of the source: {line}" for line in card.get("flaws") or ()),
    ]
    return tag("ul", *(tag("li", item) for item in items if item))


def _numbers(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))
