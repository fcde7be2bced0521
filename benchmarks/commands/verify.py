"""`gliozoo verify`: every aggregate again, from the counts of the patients."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `gliozoo verify`."""
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of records")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Name what does not match; 1 if anything does not, or cannot be read."""
    import json

    from benchmarks import record
    from benchmarks.verify import mismatches

    archive = record.read_all(arguments.results)
    found = {str(path): mismatches(one) for path, one in archive.records.items()}
    found |= {str(path): [reason] for path, reason in archive.damaged.items()}
    wrong = {path: problems for path, problems in found.items() if problems}
    if arguments.json:
        print(json.dumps({"records": len(found), "mismatches": wrong}, sort_keys=True))
        return 1 if wrong else 0
    for path, problems in wrong.items():
        for problem in problems:
            print(f"{path}: {problem}")
    print(f"{len(found)} records, {len(found) - len(wrong)} agree with their patients.")
    return 1 if wrong else 0
