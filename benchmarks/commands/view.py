"""`gliozoo view SCAN [MASK...]`: a scan and its masks as one page for the browser."""

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("scan", metavar="SCAN", type=Path, help="a patient's folder, or a file")
    parser.add_argument(
        "masks", metavar="MASK", type=Path, nargs="*", help="masks of it: files, or folders of them"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the page (default: CASE.html)")
    parser.add_argument("--serve", action="store_true", help="write nothing; serve it to 127.0.0.1")
    parser.add_argument("--case", metavar="NAME", help="which scan, where SCAN holds several")
    parser.add_argument(
        "--reference", type=Path, metavar="MASK", help="instead of labels that lie beside the scan"
    )
    parser.add_argument("--version", metavar="YEAR", help="of a BraTS scan: what its values mean")
    parser.add_argument("--whole", action="store_true", help="any label is lesion, all in one")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Write the page, or serve it."""
    from benchmarks.errors import UserError
    from benchmarks.terminal import screen
    from benchmarks.terminal.streams import say
    from benchmarks.viewing import page, served, shown_scan

    if arguments.serve and arguments.out:
        raise UserError("Expected --out or --serve: a page that is served is not written.")
    shown = shown_scan.read(
        arguments.scan,
        arguments.masks,
        reference=arguments.reference,
        case=arguments.case,
        version=arguments.version,
        whole=arguments.whole,
    )
    content = page.page(shown)
    if arguments.serve:
        server = served.Server(content)
        if arguments.json:
            print(json.dumps({"case": shown.name, "address": server.address}), flush=True)
        say(f"{shown.name}: {server.address} (stop with Ctrl-C)")
        screen.open_page(server.address)
        served.serve(server)
        return 0
    path = arguments.out or Path(f"{shown.name}.html")
    page.write(path, content)
    if arguments.json:
        print(json.dumps({"case": shown.name, "path": str(path)}))
    say(f"Wrote {path}")
    screen.open_page(path.absolute().as_uri())
    return 0
