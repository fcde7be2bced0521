"""`gliozoo data ...`: make, check, prepare and audit data sets; each subcommand is a file here."""

import argparse
import importlib

SUBCOMMANDS = {
    "phantom": "write synthetic patients in the layout of a real data set",
    "check": "read every file to its end before anything trains",
    "prepare": "write a data set as records that train at once, wherever they are copied to",
    "audit": "look for patients and slices that are in two sets of a split",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands; their own imports wait until they run."""
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, summary in SUBCOMMANDS.items():
        importlib.import_module(f"{__name__}.{name}").add_arguments(
            subparsers.add_parser(name, help=summary, description=summary)
        )


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand that was asked for."""
    return importlib.import_module(f"{__name__}.{arguments.subcommand}").run(arguments)
