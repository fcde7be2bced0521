"""`gliozoo report`: the comparison as one page that needs no network."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.comparison.compare import Comparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `gliozoo report`."""
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of records")
    parser.add_argument("--out", type=Path, help="the page (default: RESULTS/report.html)")
    parser.add_argument("--protocol", help="only the runs of this protocol")
    parser.add_argument("--baseline", default="unet", help="the model that others are compared to")
    parser.add_argument("--policy", help="for empty masks: brats or exclude (default: protocol's)")
    parser.add_argument(
        "--scans", type=Path, metavar="DIR", help="link each patient to a page with its scan"
    )
    parser.add_argument(
        "--masks", type=Path, metavar="DIR", help="in it a folder for each model: masks of scans"
    )
    parser.add_argument("--version", metavar="YEAR", help="of BraTS scans: what values mean")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Write the page."""
    from benchmarks import report
    from benchmarks.comparison.compare import compare
    from benchmarks.errors import UserError
    from benchmarks.protocols.protocol import name_of
    from benchmarks.records import atomic
    from benchmarks.terminal.progress import waiting
    from benchmarks.terminal.streams import say

    if arguments.masks and not arguments.scans:
        raise UserError("Expected --scans beside --masks: a mask is shown on its scan.")
    with waiting("Comparing"):
        comparison = compare(
            arguments.results,
            baseline=arguments.baseline,
            protocol=name_of(arguments.protocol),
            policy=arguments.policy,
        )
    path = arguments.out or arguments.results / "report.html"
    scans = _scans(arguments, comparison, path)
    with waiting("Drawing"):
        content = report.page(comparison, scans)
    atomic.write_out(path, content.encode())
    for line in comparison.omissions():
        say(f"Left out: {line}")
    say(f"Wrote {path}")
    if arguments.json:
        print(json.dumps({"path": str(path), "scans": scans}))
    return 0


def _scans(arguments: argparse.Namespace, comparison: "Comparison", path: Path) -> dict[str, str]:
    """Write a page for each patient whose scan is at hand, and return its address."""
    from urllib.parse import quote

    from benchmarks.terminal.streams import say
    from benchmarks.viewing import of_report

    if arguments.scans is None:
        return {}
    patients = [patient for table in comparison.tables for patient in table.patients]
    cases = of_report.scans_of(patients, arguments.scans, arguments.version)
    masks = of_report.masks(arguments.masks, cases.values()) if arguments.masks else {}
    folder = path.with_name(f"{path.stem}_scans")
    links = {}
    for patient, found in of_report.write(folder, cases, masks):
        if isinstance(found, Path):
            links[patient] = quote(f"{folder.name}/{found.name}")
            say(f"Wrote {found}")
        else:
            say(f"Not shown: {found}")
    return links
