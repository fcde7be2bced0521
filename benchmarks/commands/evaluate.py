"""`gliozoo evaluate RUN|WEIGHTS DATA`: a trained network on labelled patients of another site."""

import argparse
from pathlib import Path

from benchmarks.commands.bench import BACKENDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "networks",
        metavar="RUN|PRESET[,...]",
        help="a run's folder, its weights file, or a preset's name; several are averaged",
    )
    parser.add_argument("data", metavar="DATA", type=Path, help="labelled patients, any layout")
    parser.add_argument("--name", metavar="SITE", help="what tables call them (the folder's name)")
    parser.add_argument("--layout", help="of the data set (default: detected)")
    parser.add_argument("--version", metavar="YEAR", help="of a BraTS data set")
    parser.add_argument(
        "--model", metavar="FILE", help="the source of a network that is not the zoo's"
    )
    parser.add_argument("--any-spacing", action="store_true", help="resample nothing")
    parser.add_argument("--force", action="store_true", help="score patients that were trained on")
    parser.add_argument("--results", metavar="DIR", type=Path, default=Path("results"))
    parser.add_argument("--cache", metavar="DIR", type=Path, help="prepared data")
    parser.add_argument("--backend", choices=BACKENDS)
    parser.add_argument("--json", action="store_true", help="print the row as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Score, write a record, print it beside the internal figure."""
    import json

    from benchmarks.backends import device
    from benchmarks.terminal.streams import say

    device.start(arguments.backend)
    from benchmarks.backends import fusion
    from benchmarks.comparison import external as rows
    from benchmarks.external import evaluate
    from benchmarks.machine import environment
    from benchmarks.records import record
    from benchmarks.tables import external_rows
    from benchmarks.terminal import progress

    fusion.fuse()
    options = ("networks", "data", "name", "layout", "version", "cache", "model", "force")
    asked = evaluate.Asked(
        **{name: getattr(arguments, name) for name in options}, any_spacing=arguments.any_spacing
    )
    with device.silence():
        found = evaluate.evaluate(asked, environment.facts(), progress.progress("Preparing"))
    path = record.write(found, arguments.results)
    told = rows.row(found)
    if not told.checked:
        say("These weights carry no image hashes: whether they saw the patients is not known.")
    if arguments.json:
        print(json.dumps(record.finite({**told.as_json(), "record": str(path)}), sort_keys=True))
        return 0
    external_rows.show([told])
    print(path)
    return 0
