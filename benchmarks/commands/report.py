"""`gliozoo report`: the comparison as one page that needs no network."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `gliozoo report`."""
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of records")
    parser.add_argument("--out", type=Path, help="the page (default: RESULTS/report.html)")
    parser.add_argument("--protocol", help="only the runs of this protocol")
    parser.add_argument("--baseline", default="unet", help="the model that others are compared to")
    parser.add_argument("--policy", help="for empty masks: brats or exclude (default: protocol's)")


def run(arguments: argparse.Namespace) -> int:
    """Write the page."""
    from benchmarks import report
    from benchmarks.comparison.compare import compare
    from benchmarks.protocols.protocol import name_of
    from benchmarks.records import atomic
    from benchmarks.terminal.streams import say

    comparison = compare(
        arguments.results,
        baseline=arguments.baseline,
        protocol=name_of(arguments.protocol),
        policy=arguments.policy,
    )
    path = arguments.out or arguments.results / "report.html"
    atomic.write_out(path, report.page(comparison).encode())
    for line in comparison.omissions():
        say(f"Left out: {line}")
    say(f"Wrote {path}")
    return 0
