"""`gliozoo score MASKS --data DIR --name NAME`: masks of another tool as a row of the table."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("masks", metavar="MASKS", type=Path, help="a folder of NIfTI, TIFF or PNG")
    parser.add_argument("--name", required=True, help="what tables call it, such as 'nnU-Net v2'")
    parser.add_argument("--data", metavar="DIR", type=Path, help="the data set")
    parser.add_argument("--protocol", default="quick", help="whose split and scoring (quick)")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--version", metavar="YEAR", help="of a BraTS data set")
    parser.add_argument("--results", metavar="DIR", type=Path, default=Path("results"))
    parser.add_argument("--cache", metavar="DIR", type=Path, help="prepared data")
    parser.add_argument("--json", action="store_true", help="print the row as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Score, write a record, print its row."""
    import json

    from benchmarks.external import masks
    from benchmarks.machine import environment
    from benchmarks.records import record
    from benchmarks.tables import bench_rows
    from benchmarks.terminal import progress

    options = ("masks", "name", "data", "protocol", "fold", "version", "cache")
    asked = masks.Scored(**{name: getattr(arguments, name) for name in options})
    found = masks.score(asked, environment.machine(), progress.progress("Scoring"))
    path = record.write(found, arguments.results)
    if arguments.json:
        told = {**bench_rows.row(found), "record": str(path)}
        print(json.dumps(record.finite([told]), sort_keys=True))
        return 0
    bench_rows.show([found])
    print(path)
    return 0
