"""`gliozoo predict RUN INPUT... --out DIR`: a mask for each scan, on the scan's own grid."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.commands.bench import BACKENDS, say
from benchmarks.errors import USER_ERRORS, UserError

if TYPE_CHECKING:
    from benchmarks.predicting.predict import Prediction
    from benchmarks.predicting.trained_network import Trained
    from benchmarks.predicting.written import Folder
    from data_pipeline.cases.case import Case


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "run_folder", metavar="RUN", type=Path, help="a run's folder, or its weights file"
    )
    parser.add_argument(
        "inputs", metavar="INPUT", type=Path, nargs="+", help="NIfTI files, or folders of scans"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--version", help="the year of BraTS scans: which values a mask has")
    parser.add_argument(
        "--probabilities", action="store_true", help="write them too, a region each"
    )
    parser.add_argument("--overlays", action="store_true", help="draw each scan with its mask")
    parser.add_argument("--tta", action="store_true", help="average over flips: slower, smoother")
    parser.add_argument("--overlap", type=float, help="of the windows (default: as in the run)")
    parser.add_argument("--batch-size", type=int, help="windows or slices at once")
    parser.add_argument(
        "--least", type=int, default=0, metavar="VOXELS", help="leave out smaller components"
    )
    parser.add_argument("--any-spacing", action="store_true", help="accept voxels of any size")
    parser.add_argument(
        "--model", metavar="FILE", help="the source of a network that is not the zoo's"
    )
    parser.add_argument("--backend", choices=BACKENDS)
    parser.add_argument("--require-gpu", action="store_true", help="fail if no GPU is seen")


def run(arguments: argparse.Namespace) -> int:
    """Predict every scan; one that can't be read is left out, and the exit code says so."""
    from benchmarks.predicting import planned, trained_network
    from benchmarks.predicting.written import Folder
    from benchmarks.records import csv_table
    from benchmarks.running import launch
    from data_pipeline.scans import search

    path = trained_network.find(arguments.run_folder)
    known = trained_network.read(path, arguments.model)
    cases = search.find(arguments.inputs, known.wanted, arguments.version)
    folder = Folder(arguments.out)
    named = {case.name: _names(arguments, known, case) for case in cases if not case.problem}
    planned.require_free(folder, named, arguments.inputs, cases)
    network = _network(arguments, path, known)
    folder.begin()
    rows: list[dict[str, Any]] = []
    refused = 0
    for case in cases:
        try:
            rows += _one(arguments, network, known, case, folder)
        except (*USER_ERRORS, OSError, MemoryError) as error:
            refused += 1
            say(f"gliozoo: {error if isinstance(error, USER_ERRORS) else _failure(case, error)}")
    if rows:
        folder.write({planned.VOLUMES: csv_table.text(rows).encode("utf-8", "backslashreplace")})
    say(f"{len(cases) - refused} of {len(cases)} scans predicted, in {arguments.out}")
    return launch.USER if refused else launch.FINE


def _network(arguments: argparse.Namespace, path: Path, known: "Trained"):
    from dataclasses import replace

    from benchmarks.backends import device
    from benchmarks.backends.device import silence

    device.start(arguments.backend, require=arguments.require_gpu)
    from benchmarks.backends import fusion
    from benchmarks.inference.predictor import Predictor
    from zoo import weights

    fusion.fuse()
    asked = {
        name: value
        for name in ("overlap", "batch_size")
        if (value := getattr(arguments, name)) is not None
    }
    if asked.get("batch_size", 1) < 1:
        raise UserError(f"Expected --batch-size of 1 or more. Received: {arguments.batch_size}.")
    evaluation = replace(known.evaluation, **asked)
    with silence():
        return Predictor(weights.restore(path, arguments.model), evaluation, mirror=arguments.tta)


def _names(arguments: argparse.Namespace, known: "Trained", case: "Case") -> tuple[str, ...]:
    from benchmarks.predicting import planned

    regions = tuple(known.target.regions)
    return planned.names(
        case, regions, probabilities=arguments.probabilities, overlays=arguments.overlays
    )


def _one(
    arguments: argparse.Namespace, network, known: "Trained", case: "Case", folder: "Folder"
) -> list[dict[str, Any]]:
    """Predict one scan and write all of its files; return its volumes."""
    from benchmarks.predicting import predict
    from benchmarks.terminal import progress

    network.progress = progress.progress(case.name)
    found = predict.predict(
        network, known, case, least=arguments.least, any_spacing=arguments.any_spacing
    )
    folder.write(_files(arguments, found))
    rows = found.volumes()
    say(f"{case.name}: {', '.join(map(_told, rows))}")
    return rows


def _files(arguments: argparse.Namespace, found: "Prediction") -> dict[str, bytes]:
    from benchmarks.predicting import overlays, planned
    from data_pipeline.scans import mask_files

    case, volume = found.scan.case, found.scan.volume
    files = mask_files.mask_files(case, volume, found.labels)
    if arguments.probabilities:
        files |= mask_files.probability_files(case, volume, found.probabilities)
    if arguments.overlays:
        files[planned.overlay(case)] = overlays.prediction(found)
    return files


def _failure(case: "Case", error: Exception) -> str:
    told = getattr(error, "strerror", None) or str(error) or "no memory is left"
    return f"{case.images[0]}: {told}; the other scans go on."


def _told(row: dict[str, Any]) -> str:
    size = f"{row['voxels']} voxels" if row["ml"] is None else f"{row['ml']:.1f} ml"
    return f"{row['region']} {size}"
