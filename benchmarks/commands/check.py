"""`gliozoo check ./my_model.py`: the zoo's contract, tried on phantoms in under a minute."""

import argparse
import json

from benchmarks.commands.bench import BACKENDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", metavar="MODEL", help="a file such as ./my_model.py, or a name")
    parser.add_argument("--backend", choices=BACKENDS, help="only this one (default: all here)")
    parser.add_argument(
        "--seconds", type=float, default=30, help="for learning by heart (default: 30)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Say of each part whether it is kept; 2 where one is not."""
    from dataclasses import asdict

    from benchmarks.contract import contract
    from benchmarks.terminal.streams import say, shown

    say(f"Trying {arguments.model} ...")
    parts, kept = [], True
    for part in contract.check(arguments.model, arguments.backend, arguments.seconds):
        parts.append(part)
        kept &= part.wrong is None
        if not arguments.json:
            mark = "kept  " if part.wrong is None else "broken"
            why = f": {part.wrong}" if part.wrong else ""
            print(shown(f"{mark} {part.backend} {part.name}{why}"), flush=True)
    if arguments.json:
        print(json.dumps({"kept": kept, "parts": [asdict(part) for part in parts]}, indent=1))
    elif kept:
        print(f"The contract is kept: gliozoo bench {arguments.model}")
    return 0 if kept else 2
