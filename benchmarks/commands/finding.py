"""`gliozoo finding leakage`: a question about comparisons, answered from records."""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

from benchmarks import findings
from benchmarks.commands import bench
from zoo.registry import choose


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", choices=findings.NAMES, help="the question")
    parser.add_argument("--models", help="a name, 'a,b', a wildcard, or all (the question's own)")
    parser.add_argument("--seeds", default="0", help="like 0,1,2 or 0-4 (0)")
    parser.add_argument("--folds", default="0", help="of the cross-validation, like 0-4 (0)")
    parser.add_argument("--against", metavar="NAMES", help="of the other terms, these alone")
    parser.add_argument("--out", type=Path, default=Path("docs/findings"), metavar="DIR")
    bench.add_run_arguments(parser)
    parser.set_defaults(protocol="lgg2d_lite")


def run(arguments: argparse.Namespace) -> int:
    """Train what is missing, then write the table and the figure."""
    from benchmarks.findings.evidence import needed_runs
    from benchmarks.running import launch
    from benchmarks.running.job import Job
    from benchmarks.sweep import plan

    question = importlib.import_module(f"benchmarks.findings.{arguments.name}")
    pattern = Job(model="", **bench.chosen(arguments))
    collected = needed_runs.collect(
        pattern,
        arguments.models or question.MODELS,
        _against(question.conditions(arguments.protocol), arguments.against),
        plan.numbers(arguments.seeds, "--seeds"),
        plan.numbers(arguments.folds, "--folds"),
    )
    ask = getattr(question, "ask", lambda _, runs: runs)
    answer = ask(pattern, collected)
    rows = question.rows(answer)
    draw = getattr(question, "picture", None)
    _write(
        arguments.out / arguments.name,
        rows,
        (lambda: draw(answer)) if draw else (lambda: question.figure(rows)),
    )
    _show(rows, arguments.json)
    return launch.FINE


def _against(conditions: dict[str, Any], names: str | None) -> dict[str, Any]:
    """Keep the first condition and, of the others, those that are named; all where none is."""
    if not names:
        return conditions
    first, *others = conditions
    wanted = [choose(name, others, "--against") for name in names.split(",")]
    return {name: conditions[name] for name in (first, *wanted)}


def _write(stem: Path, rows: list[dict], draw) -> None:
    import io

    from benchmarks.plots import style
    from benchmarks.records import atomic, csv_table

    with style.settings():
        picture = io.BytesIO()
        draw().savefig(picture, format="png", dpi=200)
    for suffix, content in ((".csv", csv_table.text(rows).encode()), (".png", picture.getvalue())):
        atomic.write_out(stem.with_suffix(suffix), content)
        bench.say(f"Wrote {stem.with_suffix(suffix)}")


def _show(rows: list[dict], as_json: bool) -> None:
    import json

    from rich import box
    from rich.console import Console
    from rich.table import Table

    from benchmarks.records.record import finite

    if as_json:
        print(json.dumps(finite(rows), sort_keys=True))
        return
    told = [_cells(row) for row in rows]
    verdicts: dict[str, list[str]] = {}
    for row, given in zip(told, rows, strict=True):
        if "verdict" in row:
            verdict = row.pop("verdict")
            names = [text for name, text in row.items() if isinstance(given[name], str)]
            verdicts.setdefault(verdict, []).append(" ".join(names))
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in told[0]:
        if isinstance(rows[0][name], str):
            grid.add_column(name, overflow="fold")
        else:  # a number is never broken; what it is called may be
            widest = max(len(row[name]) for row in told)
            grid.add_column(
                name,
                justify="right",
                overflow="fold",
                min_width=widest,
                max_width=max(widest, 10),
            )
    for row in told:
        grid.add_row(*row.values())
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
    console.print(grid)
    for verdict, which in verdicts.items():
        console.print(f"{verdict[:1].upper()}{verdict[1:]}: {'; '.join(which)}.", markup=False)


def _cells(row: dict[str, Any]) -> dict[str, str]:
    """Print the values of a row, each interval behind what it is of."""
    from benchmarks.tables import cells

    told = {}
    for name, value in row.items():
        of, _, end = name.rpartition(" ")
        if end in ("lower", "upper") and of in row:
            continue
        told[name] = cells.number(value) if isinstance(value, float) else str(value)
        if f"{name} lower" in row:
            told[name] += " " + cells.interval(row[f"{name} lower"], row[f"{name} upper"])
    return told
