"""The ranking on a terminal, and in plain lines elsewhere."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from benchmarks.comparison.changes import Change
from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.notes import notes
from benchmarks.comparison.verdict import conclusions, reservations
from benchmarks.records.record import finite
from benchmarks.tables import cells, external_rows, fitted, runtime_rows
from benchmarks.tables.fitted import Column

# Beside rank, model and Dice, and when each goes where there is no room: the highest first.
LESS = {"iou": 4, "precision": 3, "sensitivity": 2, "hd95": 1}


def show(comparison: Comparison) -> None:
    """Print what is left out, each table with its verdict, then what failed."""
    console = fitted.console()
    for line in comparison.omissions():
        console.print(Text(cells.printable(f"Left out: {line}")), soft_wrap=True)
    if not comparison.tables:
        console.print("No run has finished.")
    for place, table in enumerate(comparison.tables, 1):
        if place == comparison.own + 1:
            console.print(Text(comparison.reference, style="bold"))
        _ranking(console, comparison, table, place)
        for sentence in (*conclusions(table), *reservations(table), *notes(table)):
            console.print(Text(f"  {cells.printable(sentence)}"))
        if place > 1:
            apart = cells.printable(comparison.summary(table))
            console.print(Text(f"  Not ranked with table 1: {apart}."), soft_wrap=True)
        console.print()
    if comparison.external:
        external_rows.show(comparison.external)
        console.print()
    if comparison.runtimes:
        runtime_rows.show(comparison.runtimes)
        console.print()
    for record in comparison.failed.values():
        reason = (record.error or {}).get("message", "no reason recorded")
        console.print(Text(cells.printable(f"Failed: {record.name}: {reason}")))


def _ranking(console: Console, comparison: Comparison, table: Table, place: int) -> None:
    title = (
        f"Table {place}: {table.terms.protocol} ({table.terms.protocol_digest[:8]}), "
        f"{len(table.patients)} patients, policy '{table.policy}' for empty masks"
    )
    compared = comparison.baseline in table.models
    metrics = [*(name for name in LESS if name in table.metrics), *table.own]
    columns = [Column("rank", justify="left"), Column("model", justify="left")]
    columns += [Column(cells.label("dice", table.in_mm), justify="left")]
    columns += [Column(cells.label(name, table.in_mm), LESS.get(name, 5)) for name in metrics]
    if compared:
        columns.append(Column(f"Dice − {cells.printable(comparison.baseline)}", justify="left"))
    rows = []
    for model in table.models:
        found = [
            table.estimates.get((model, table.regions[0], name)) for name in ("dice", *metrics)
        ]
        row = [cells.rank(table.standings[model]), cells.printable(model)]
        row.append(cells.estimate(found[0], "dice"))
        row += [_mean(one, name) for one, name in zip(found[1:], metrics, strict=True)]
        if compared:
            row.append(cells.difference(table.against(model, comparison.baseline)))
        rows.append(row)
    fitted.show(console, columns, rows, cells.printable(title))


def _mean(found, metric: str) -> str:
    return cells.number(found.mean if found else None, cells.decimals(metric))


def show_changes(changes: Sequence[Change], as_json: bool) -> None:
    """Print what changed between two result sets."""
    if as_json:
        told = [{**asdict(one), "verdict": one.verdict, "loss": one.is_loss} for one in changes]
        print(json.dumps(finite(told), sort_keys=True))
        return
    console = fitted.console()
    headings = {"model": 0, "protocol": 3, "before": 2, "now": 1, "change [95 %]": 0, "p (Holm)": 4}
    columns = [Column(heading, goes, "left") for heading, goes in headings.items()]
    rows = []
    for one in changes:
        bounds = f"{cells.signed(one.difference)} [{cells.signed(one.lower)}, "
        row = [one.model, one.protocol, cells.number(one.before), cells.number(one.now)]
        row += [f"{bounds}{cells.signed(one.upper)}]" if one.n else cells.ABSENT]
        row += [cells.p_value(one.p_holm), one.verdict]
        rows.append([cells.printable(cell) for cell in row])
    fitted.show(console, [*columns, Column("verdict", justify="left")], rows)
