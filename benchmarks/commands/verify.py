"""`gliozoo verify`: every digest and aggregate again, from what a record itself holds."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `gliozoo verify`."""
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of records")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Name what does not match; 1 if anything does not, or cannot be read."""
    import json

    from benchmarks.records import record
    from benchmarks.terminal.streams import shown

    results, unsealed = arguments.results, 0
    wrong: dict[str, list[str]] = {}
    paths = record.paths(results)
    for path in paths:
        problems, is_sealed = _examined(path)
        unsealed += not is_sealed
        if problems:
            wrong[str(path)] = problems
    told = {"records": len(paths), "unsealed": unsealed, "mismatches": wrong}
    if arguments.json:
        print(json.dumps(told, sort_keys=True))
        return 1 if wrong else 0
    for name, problems in wrong.items():
        for problem in problems:
            print(shown(f"{name}: {problem}"))
    print(f"{len(paths)} records, {len(paths) - len(wrong)} agree with their patients.")
    if unsealed:
        print(f"{unsealed} are unsealed: they were written before records had a seal.")
    return 1 if wrong else 0


def _examined(path: Path) -> tuple[list[str], bool]:
    from benchmarks.errors import UserError
    from benchmarks.records import record, verify

    try:
        with record.no_garbage_collection():
            found = verify.examine(path)
    except UserError as error:
        return [f"is left out: {error}"], True
    return list(found.problems), found.is_sealed
