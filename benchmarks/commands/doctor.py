"""`gliozoo doctor`: what is installed and seen here, and one remedy for each thing that is not."""

import argparse
import json
from dataclasses import asdict

from benchmarks.doctor import folders, hardware, software
from benchmarks.doctor.finding import BROKEN, FINE, NOTE, Finding
from benchmarks.terminal.streams import say, shown

MARKS = {FINE: "ok", NOTE: "--", BROKEN: "!!"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--clean", action="store_true", help="remove what can be made anew")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Say how each thing is; 1 if one is broken that every run needs."""
    removed, kept = folders.clean() if arguments.clean else ([], [])
    found = [*software.findings(), *hardware.findings(), *folders.findings()]
    broken = sum(one.status == BROKEN for one in found)
    for path in removed:
        say(f"removed {path}")
    for path in kept:
        say(f"kept {path}: it is in use, or can't be removed")
    if arguments.json:
        document = {
            "ok": not broken,
            "findings": [asdict(one) for one in found],
            "removed": list(map(str, removed)),
        }
        print(json.dumps(document, indent=2))
    else:
        _print(found, broken)
    return 1 if broken else 0


def _print(found: list[Finding], broken: int) -> None:
    """Print lines without rich, which may be what is missing."""
    width = max(len(one.name) for one in found)
    group = ""
    for one in found:
        if one.group != group:
            group = one.group
            print(f"{group.capitalize()}")
        print(f"  {MARKS[one.status]}  {one.name:<{width}}  {shown(one.found)}")
        if one.remedy:
            print(f"      {'':<{width}}  -> {one.remedy}")
    notes = sum(one.status == NOTE for one in found)
    print(f"{broken} broken, {notes} that might be better, {len(found) - broken - notes} fine")
