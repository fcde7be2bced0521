"""`gliozoo verify`: every digest and aggregate again, from what a record itself holds."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `gliozoo verify`."""
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of records")
    parser.add_argument(
        "--metric",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="the file of a metric of one's own, to be run again; several are allowed",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Name what does not match; 1 if anything does not, or cannot be read."""
    import json

    from benchmarks.protocols.own_again import Again
    from benchmarks.records import record
    from benchmarks.terminal.progress import progress
    from benchmarks.terminal.streams import shown

    results, unsealed = arguments.results, 0
    own = Again(arguments.metric)
    wrong: dict[str, list[str]] = {}
    paths = record.paths(results)
    for path in progress("Verifying")(paths, len(paths)):
        problems, is_sealed = _examined(path, own)
        unsealed += not is_sealed
        if problems:
            wrong[str(path)] = problems
    own.require_used()
    told = {"records": len(paths), "unsealed": unsealed, "mismatches": wrong}
    told["unverified"] = own.unverified
    if arguments.json:
        print(json.dumps(told, sort_keys=True))
        return 1 if wrong else 0
    for name, problems in wrong.items():
        for problem in problems:
            print(shown(f"{name}: {problem}"))
    print(f"{len(paths)} records, {len(paths) - len(wrong)} agree with their patients.")
    if unsealed:
        print(f"{unsealed} are unsealed: they were written before records had a seal.")
    for line in own.lines():
        print(shown(line))
    return 1 if wrong else 0


def _examined(path: Path, own) -> tuple[list[str], bool]:
    from benchmarks.errors import UserError
    from benchmarks.records import record, verify

    try:
        with record.no_garbage_collection():
            found = verify.examine(path)
    except UserError as error:
        return [f"is left out: {error}"], True
    one = found.record
    return [*found.problems, *own.problems(one.protocol, one.patients)], found.is_sealed
