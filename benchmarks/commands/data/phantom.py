"""`gliozoo data phantom`: synthetic patients on disk, in the layout of a real data set."""

import argparse
import json
import time
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dir", type=Path, help="the folder to write")
    parser.add_argument("--layout", default="lgg", help="lgg, brats, msd or nnunet (default lgg)")
    parser.add_argument("--patients", type=int, default=12, help="how many (default 12)")
    parser.add_argument(
        "--size", type=int, default=64, help="rows and columns; 0.6 times as many slices"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed, other patients")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Write a cohort and say what to do with it."""
    from benchmarks.terminal import streams
    from data_pipeline.phantom.write import write

    began = time.perf_counter()
    root = write(
        arguments.dir, arguments.layout, arguments.patients, arguments.size, arguments.seed
    )
    if arguments.json:
        print(json.dumps({"path": str(root), "patients": arguments.patients}))
        return 0
    place, seconds = streams.shown(root), time.perf_counter() - began
    print(
        f"Wrote {arguments.patients} synthetic patients to {place} in {seconds:.1f} s, "
        f"in the layout of {arguments.layout}. They are checked by `gliozoo data check {place}`."
    )
    return 0
