"""`gliozoo finding leakage`: a question about comparisons, answered from records."""

import argparse
import importlib
import sys
from pathlib import Path

from benchmarks import findings
from benchmarks.commands import bench


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", choices=findings.NAMES, help="the question")
    parser.add_argument("--models", help="a name, 'a,b', a wildcard, or all (the question's own)")
    parser.add_argument("--seeds", default="0", help="like 0,1,2 or 0-4 (0)")
    parser.add_argument("--folds", default="0", help="of the cross-validation, like 0-4 (0)")
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
        question.conditions(arguments.protocol),
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

    from rich.console import Console
    from rich.table import Table

    from benchmarks.records.record import finite
    from benchmarks.tables import cells

    if as_json:
        print(json.dumps(finite(rows), sort_keys=True))
        return
    grid = Table()
    for name in rows[0]:
        grid.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        grid.add_row(*(cells.number(v) if isinstance(v, float) else str(v) for v in row.values()))
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(grid)
