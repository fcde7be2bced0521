"""`gliozoo protocol list|show NAME`: the protocols, and any of them as TOML that works."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    subparsers.add_parser("list", help="the protocols by name")
    show = subparsers.add_parser("show", help="one protocol as TOML, to be changed and used")
    show.add_argument("name", metavar="NAME", help="a protocol, or a TOML file")


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for."""
    from benchmarks.protocols import protocol, toml_file

    if arguments.subcommand == "list":
        print("\n".join(protocol.names()))
        return 0
    found = protocol.shipped(arguments.name)
    print(f"# digest {found.digest}; equal content has an equal digest, whatever the name.")
    print(toml_file.text(found.name, found.as_json()), end="")
    return 0
