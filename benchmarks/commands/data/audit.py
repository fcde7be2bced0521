"""`gliozoo data audit`: patients and slices that two sets of a split share."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_pipeline.splitting.similar_slices import Slices
    from data_pipeline.splitting.split import Split


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dir", type=Path, help="the folder of the data set")
    parser.add_argument("--layout", help="lgg, brats, msd, nnunet (default: detected)")
    parser.add_argument("--version", help="the year of a BraTS data set")
    parser.add_argument("--split", type=Path, metavar="FILE", help="JSON: train, val, test")
    parser.add_argument("--seed", type=int, default=0, help="of the split (default 0)")
    parser.add_argument("--folds", type=int, default=5, help="of the split (default 5)")
    parser.add_argument("--fold", type=int, default=0, help="which of them (default 0)")
    parser.add_argument(
        "--leaky", action="store_true", help="audit a split by slice, to see what it would leak"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Audit; 1 where something leaks that was not asked to."""
    from benchmarks.terminal import streams
    from benchmarks.terminal.progress import progress
    from data_pipeline import sources
    from data_pipeline.splitting import leaks, similar_slices

    dataset = sources.find(arguments.dir, arguments.layout, arguments.version)
    found, unread = similar_slices.slices_of(dataset.cases, progress=progress("Reading slices"))
    for reason in unread:
        streams.say(f"left out: {reason}")
    result = leaks.audit(found, _split(arguments, dataset.layout, found))
    if arguments.json:
        print(json.dumps({"clean": result.clean, **asdict(result)}, indent=1, sort_keys=True))
    print(
        "\n".join(map(streams.shown, result.summary())),
        file=sys.stderr if arguments.json else sys.stdout,
    )
    return 0 if result.clean or arguments.leaky else 1


def _split(arguments: argparse.Namespace, layout: str, found: "list[Slices]") -> "Split":
    from data_pipeline.splitting import similar_slices, split

    if arguments.split:
        return split.read(arguments.split)
    options = {"seed": arguments.seed, "folds": arguments.folds, "fold": arguments.fold}
    if arguments.leaky:
        return split.make_leaky({slices.case: slices.depth for slices in found}, **options)
    return split.choose(layout, similar_slices.burdens(found), **options)
