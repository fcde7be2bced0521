"""The ranking on a terminal, and in plain lines elsewhere."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from benchmarks.comparison.changes import Change
from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.notes import notes
from benchmarks.comparison.verdict import conclusions, reservations
from benchmarks.records.record import finite
from benchmarks.tables import cells, external_rows

METRICS = ("dice", "iou", "precision", "sensitivity", "hd95")


def show(comparison: Comparison) -> None:
    """Print what is left out, each table with its verdict, then what failed."""
    console = Console(width=None if Console().is_terminal else 140, highlight=False)
    for line in comparison.omissions():
        console.print(Text(cells.printable(f"Left out: {line}")), soft_wrap=True)
    if not comparison.tables:
        console.print("No run has finished.")
    for place, table in enumerate(comparison.tables, 1):
        if place == comparison.own + 1:
            console.print(Text(comparison.reference, style="bold"))
        console.print(_grid(comparison, table, place))
        for sentence in (*conclusions(table), *reservations(table), *notes(table)):
            console.print(Text(f"  {cells.printable(sentence)}"))
        if place > 1:
            apart = cells.printable(comparison.summary(table))
            console.print(Text(f"  Not ranked with table 1: {apart}."), soft_wrap=True)
        console.print()
    if comparison.external:
        external_rows.show(comparison.external)
        console.print()
    for record in comparison.failed.values():
        reason = (record.error or {}).get("message", "no reason recorded")
        console.print(Text(cells.printable(f"Failed: {record.name}: {reason}")))


def _grid(comparison: Comparison, table: Table, place: int) -> Grid:
    title = (
        f"Table {place}: {table.terms.protocol} ({table.terms.protocol_digest[:8]}), "
        f"{len(table.patients)} patients, policy '{table.policy}' for empty masks"
    )
    grid = Grid(title=Text(cells.printable(title)), title_justify="left")
    metrics = [*(name for name in METRICS if name in table.metrics), *table.own]
    compared = comparison.baseline in table.models
    for heading in ("rank", "model", *(cells.label(name, table.in_mm) for name in metrics)):
        grid.add_column(heading)
    if compared:
        grid.add_column(Text(f"Dice − {cells.printable(comparison.baseline)}"))
    for model in table.models:
        row = [cells.rank(table.standings[model]), cells.printable(model)]
        for name in metrics:
            found = table.estimates.get((model, table.regions[0], name))
            row.append(cells.estimate(found, name) if name == "dice" else _mean(found, name))
        if compared:
            row.append(cells.difference(table.against(model, comparison.baseline)))
        grid.add_row(*map(Text, row))
    return grid


def _mean(found, metric: str) -> str:
    return cells.number(found.mean if found else None, cells.decimals(metric))


def show_changes(changes: Sequence[Change], as_json: bool) -> None:
    """Print what changed between two result sets."""
    if as_json:
        told = [{**asdict(one), "verdict": one.verdict, "loss": one.is_loss} for one in changes]
        print(json.dumps(finite(told), sort_keys=True))
        return
    console = Console(width=None if Console().is_terminal else 140, highlight=False)
    grid = Grid("model", "protocol", "before", "now", "change [95 %]", "p (Holm)", "verdict")
    for one in changes:
        bounds = f"{cells.signed(one.difference)} [{cells.signed(one.lower)}, "
        row = [one.model, one.protocol, cells.number(one.before), cells.number(one.now)]
        row += [f"{bounds}{cells.signed(one.upper)}]" if one.n else cells.ABSENT]
        row += [cells.p_value(one.p_holm), one.verdict]
        grid.add_row(*(Text(cells.printable(cell)) for cell in row))
    console.print(grid)
