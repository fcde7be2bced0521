"""`gliozoo protocol list|show NAME`: the protocols, and any of them as TOML that works."""

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    listed = subparsers.add_parser("list", help="the protocols by name")
    show = subparsers.add_parser("show", help="one protocol as TOML, to be changed and used")
    show.add_argument("name", metavar="NAME", help="a protocol, or a TOML file")
    for subparser in (listed, show):
        subparser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for."""
    from benchmarks.protocols import protocol, toml_file

    if arguments.subcommand == "list":
        names = protocol.names()
        print(json.dumps(names) if arguments.json else "\n".join(names))
        return 0
    found = protocol.shipped(arguments.name)
    if arguments.json:
        told = {"name": found.name, "digest": found.digest, **found.as_json()}
        print(json.dumps(told, indent=2))
        return 0
    print(f"# digest {found.digest}; equal content has an equal digest, whatever the name.")
    print(toml_file.text(found.name, found.as_json()), end="")
    return 0
