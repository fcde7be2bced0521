"""`gliozoo data check`: every file of a data set read to its end, and what was found."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TextIO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dir", type=Path, help="a data set, a store, or an archive")
    parser.add_argument("--layout", help="lgg, brats, msd, nnunet (default: detected)")
    parser.add_argument(
        "--version", help="the year of a BraTS data set, whose label values changed meaning"
    )
    parser.add_argument(
        "--allow-skips", action="store_true", help="succeed although cases are quarantined"
    )
    parser.add_argument(
        "--nan-to-zero", action="store_true", help="set NaN and infinite voxels to 0, and count"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the manifest there as JSON")
    parser.add_argument("--json", action="store_true", help="print the manifest as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check; 1 where cases are quarantined, 2 where the data set is refused."""
    from data_pipeline.files import archive
    from data_pipeline.storing import store_check

    if arguments.out:
        _require_writable(arguments.out)
    stores = store_check.find(arguments.dir)
    if stores:
        return _check_stores(arguments, stores)
    if not archive.is_archive(arguments.dir):
        return _check(arguments, arguments.dir)
    with tempfile.TemporaryDirectory(prefix="gliozoo-") as folder:
        return _check(arguments, archive.unpack(arguments.dir, Path(folder)))


def _require_writable(path: Path) -> None:
    """Refuse a file that can't be written before the data set is read."""
    from benchmarks.errors import UserError
    from data_pipeline.files import whole_files

    if path.is_dir() or not path.parent.is_dir() or not whole_files.writable(path.parent):
        raise UserError(f"{path}: can't be written; name a file in an existing folder with --out.")


def _check_stores(arguments: argparse.Namespace, stores: list[Path]) -> int:
    from dataclasses import asdict

    from benchmarks.terminal import streams
    from data_pipeline.storing import store_check

    found = [store_check.check(path) for path in stores]
    if arguments.json:
        listed = [asdict(one) | {"path": str(one.path)} for one in found]
        print(json.dumps(listed, indent=1, sort_keys=True))
    print("\n".join(streams.shown(one.summary()) for one in found), file=_people(arguments))
    return 0


def _people(arguments: argparse.Namespace) -> TextIO:
    """Say where sentences go: away from a JSON document."""
    return sys.stderr if arguments.json else sys.stdout


def _check(arguments: argparse.Namespace, root: Path) -> int:
    from benchmarks.terminal import streams
    from benchmarks.terminal.progress import progress
    from data_pipeline.checking.check import check

    manifest = check(
        root,
        arguments.layout,
        arguments.version,
        nan_to_zero=arguments.nan_to_zero,
        progress=progress("Checking cases"),
    )
    if arguments.out:
        manifest.write(arguments.out)
    if arguments.json:
        print(json.dumps(manifest.as_json(), indent=1, sort_keys=True, allow_nan=False))
    print("\n".join(map(streams.shown, manifest.summary())), file=_people(arguments))
    skipped = len(manifest.quarantined)
    if not skipped or (arguments.allow_skips and skipped < len(manifest.records)):
        return 0
    print(
        f"gliozoo: {skipped} of {len(manifest.records)} cases are quarantined; mend them, or leave "
        "them out with --allow-skips.",
        file=sys.stderr,
    )
    return 1
