"""`gliozoo data prepare`: a data set checked and written as records, to train from anywhere."""

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dir", type=Path, help="the folder of the data set")
    parser.add_argument("--layout", help="lgg, brats, msd, nnunet, phantom (default: detected)")
    parser.add_argument(
        "--version", help="the year of a BraTS data set, whose label values changed meaning"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="STORE", help="the folder to write to"
    )
    parser.add_argument(
        "--size", default="128,128", help="of a slice, or of a 3D patch: 64,64,64 (128,128)"
    )
    parser.add_argument(
        "--spacing", help="mm along slices, rows and columns, to resample volumes to: 1,1,1"
    )
    parser.add_argument("--channels", help="modalities by name, a comma list (default: all)")
    parser.add_argument(
        "--normalisation", default="zscore_brain", help="none, div255, minmax_slice, ..."
    )
    parser.add_argument(
        "--allow-skips", action="store_true", help="leave quarantined cases out of the store"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Check, prepare, and say what to do with the store."""
    from benchmarks.errors import UserError
    from benchmarks.terminal import streams
    from benchmarks.terminal.progress import progress
    from data_pipeline import sources
    from data_pipeline.checking.check_once import checked
    from data_pipeline.preparing.preparation import Preparation, job_of
    from data_pipeline.preparing.prepare import prepared

    size, spacing = _size(arguments.size), _spacing(arguments.spacing)
    if spacing and len(size) == 2:
        raise UserError("Expected --spacing only for volumes, whose --size has three sides.")
    _require_writable(arguments.out)
    dataset = sources.find(arguments.dir, arguments.layout, arguments.version)
    chosen = tuple(arguments.channels.split(",")) if arguments.channels else dataset.channels
    try:
        manifest = checked(dataset, arguments.out, progress("Checking cases"))
    except OSError as error:
        raise UserError(
            f"{arguments.out}: can't keep prepared data there ({error.strerror or error}); free "
            "some room, or name another folder with --out."
        ) from error
    job = job_of(
        manifest,
        Preparation(len(size), size, chosen, arguments.normalisation, spacing),
        allow_skips=arguments.allow_skips,
    )
    store = prepared(job, arguments.out, progress("Preparing cases"))
    megabytes = sum(sum(case.bytes.values()) for case in store.cases) / 1e6
    if arguments.json:
        told = {"store": str(store.path), "cases": len(store.cases), "megabytes": megabytes}
        print(json.dumps(told))
        return 0
    print(
        f"Prepared {len(store.cases)} cases ({job.preparation}; {megabytes:,.0f} MB) in "
        f"{streams.shown(store.path)}. Name {streams.shown(arguments.out)} where a data set is "
        "asked for, as in --data."
    )
    return 0


def _require_writable(folder: Path) -> None:
    """Refuse a place that can't be written to before the data set is read."""
    from benchmarks.errors import UserError
    from data_pipeline.files import whole_files

    if not whole_files.writable(folder):
        raise UserError(f"{folder}: can't be written to; name another folder with --out.")


def _size(text: str) -> tuple[int, ...]:
    from benchmarks.errors import UserError

    parts = text.replace("x", ",").split(",")
    if len(parts) not in (2, 3) or not all(part.isdecimal() and int(part) for part in parts):
        raise UserError(f"Expected --size like 128,128 or 64,64,64. Received: {text!r}.")
    return tuple(map(int, parts))


def _spacing(text: str | None) -> tuple[float, ...] | None:
    from benchmarks.errors import UserError
    from data_pipeline.grid import voxels

    if text is None:
        return None
    try:
        sides = tuple(map(float, text.split(",")))
    except ValueError:
        sides = ()
    if not voxels.are_sizes(sides):
        raise UserError(f"Expected --spacing as three millimetres: 1,1,1. Received: {text!r}.")
    return sides
