"""The command line: `gliozoo COMMAND ...`; each command is a file in `benchmarks/commands`."""

import argparse
import importlib
import sys

from benchmarks.errors import USER_ERRORS
from benchmarks.terminal import streams

# In the order in which a newcomer meets them. Only the module of the command that was asked for is
# imported, so that `list` and `compare` open without Keras.
COMMANDS = {
    "list": "the architectures: title, rank, parameters, claims",
    "describe": "one architecture: paper, claims, counts, variants, deviations, recipe",
    "profile": "parameters, operations, speed, memory and roofline of one model",
    "protocol": "what is equal for all models of a table, as TOML to start from",
    "data": "data sets: synthetic patients, checks, preparation, leakage",
    "bench": "train, score and measure models under one protocol",
    "evaluate": "a trained network on labelled patients of another site",
    "score": "masks of another tool as a row of the table",
    "predict": "masks for scans from a trained network, on each scan's own grid",
    "view": "a scan and its masks as one page for the browser, without network",
    "new": "a model, protocol, dataset or loss of your own to start from",
    "check": "a model of your own against the contract, on phantoms",
    "weights": "presets, trained weights by name: list, show, verify, card, add, fetch",
    "export": "a network as ONNX, OpenVINO, SavedModel, LiteRT or torch, to run without Keras",
    "sweep": "models x seeds x folds: many runs, here or on a cluster",
    "compare": "tables from all records: ranks, intervals, tests, costs, claims",
    "report": "the comparison as one page: words, table, figures, patients",
    "finding": "a question about comparisons, answered from records",
    "doctor": "what is installed and seen here, and what mends it",
    "completion": "a script for the shell that completes commands and names",
    "verify": "recompute every aggregate from the counts of the patients",
}


class Parser(argparse.ArgumentParser):
    """argparse whose mistakes are one sentence on standard error and exit code 2."""

    def error(self, message: str):
        """Say what is wrong and where the help is."""
        self.exit(2, f"{self.prog}: {streams.shown(message)} (see `{self.prog} --help`)\n")


class Version(argparse.Action):
    """`--version`, looked up only when it is asked for."""

    def __call__(self, parser, *_) -> None:
        """Print the project's version and those that its results depend on."""
        versions = importlib.import_module("benchmarks.machine.environment").versions()
        print("gliozoo " + ", ".join(versions))
        parser.exit()


def parser_for(*commands: str | None) -> argparse.ArgumentParser:
    """Build the parser; the arguments of these commands alone are filled in."""
    parser = Parser(
        prog="gliozoo",
        description="A Keras model zoo and benchmark for brain-tumour MRI segmentation.",
    )
    parser.add_argument("--version", nargs=0, action=Version, help="print versions, and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary, description=summary)
        if name in commands:
            module = importlib.import_module(f"benchmarks.commands.{name}")
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 fine, 1 a run failed, 2 the user's input or environment."""
    streams.settle()
    with streams.heard():
        return _answer(sys.argv[1:] if argv is None else argv)


def _answer(argv: list[str]) -> int:
    arguments = parser_for(argv[0] if argv else None).parse_args(argv)
    try:
        return arguments.run(arguments)
    except USER_ERRORS as error:
        streams.say(f"gliozoo: {error}")
        return 2
    except KeyboardInterrupt:
        streams.say("gliozoo: interrupted; the same command goes on from here.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
