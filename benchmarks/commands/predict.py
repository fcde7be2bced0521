"""`gliozoo predict RUN|PRESET[,...] INPUT... --out DIR`: a mask for each scan, on its own grid."""

import argparse
import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.commands.bench import BACKENDS, say
from benchmarks.errors import USER_ERRORS, UserError

if TYPE_CHECKING:
    from benchmarks.ensembles.panel import Panel
    from benchmarks.predicting.predict import Prediction
    from benchmarks.predicting.trained_network import Trained
    from benchmarks.predicting.written import Folder
    from data_pipeline.cases.case import Case


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "run_folder",
        metavar="RUN|PRESET[,...]",
        help="a run's folder, its weights file, or a name of `gliozoo weights list`; several vote",
    )
    parser.add_argument(
        "inputs", metavar="INPUT", type=Path, nargs="*", help="NIfTI files, or folders of scans"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="required, save with --demo")
    parser.add_argument(
        "--demo",
        action="store_true",
        help="segment a phantom made on the spot, and open the picture",
    )
    parser.add_argument(
        "--ensemble", choices=ensemble_ways(), default="mean", help="how several networks are one"
    )
    parser.add_argument(
        "--uncertainty",
        action="store_true",
        help="write the entropy of the mean, and how far several networks lie apart",
    )
    parser.add_argument("--offline", action="store_true", help="fetch nothing")
    parser.add_argument("--version", help="the year of BraTS scans: which values a mask has")
    parser.add_argument(
        "--probabilities", action="store_true", help="write them too, a region each"
    )
    parser.add_argument("--overlays", action="store_true", help="draw each scan with its mask")
    parser.add_argument("--view", action="store_true", help="write a page of each for the browser")
    parser.add_argument("--tta", action="store_true", help="average over flips: slower, smoother")
    parser.add_argument("--overlap", type=float, help="of the windows (default: as in the run)")
    parser.add_argument("--batch-size", type=int, help="windows or slices at once")
    parser.add_argument(
        "--least", type=int, default=0, metavar="VOXELS", help="leave out smaller components"
    )
    parser.add_argument(
        "--smallest",
        type=float,
        metavar="SHARE",
        help="leave out components below this share of the largest (default: as in the run)",
    )
    parser.add_argument("--any-spacing", action="store_true", help="resample nothing")
    parser.add_argument(
        "--model", metavar="FILE", help="the source of a network that is not the zoo's"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the volumes as one JSON document"
    )
    parser.add_argument("--backend", choices=BACKENDS)
    parser.add_argument("--require-gpu", action="store_true", help="fail if no GPU is seen")


def run(arguments: argparse.Namespace) -> int:
    """Predict every scan; one that can't be read is left out, and the exit code says so."""
    from benchmarks.ensembles import ensemble
    from benchmarks.predicting import by_name, demo, planned, trained_network
    from benchmarks.predicting.written import Folder
    from benchmarks.records import csv_table
    from benchmarks.running import launch
    from data_pipeline.scans import search
    from zoo import weights
    from zoo.presets import fetching

    if arguments.offline:
        os.environ[fetching.OFFLINE] = "1"
    _settle(arguments)
    paths = trained_network.find_all(arguments.run_folder)
    arguments.several = len(paths) > 1
    arguments.name = ensemble.title([weights.header(path).identity.architecture for path in paths])
    known = _asked(ensemble.usage(paths, arguments.ensemble, arguments.model), arguments)
    cases = search.find(arguments.inputs, known.wanted, arguments.version)
    folder = Folder(arguments.out)
    named = {case.name: _names(arguments, known, case) for case in cases if not case.problem}
    planned.require_free(folder, named, arguments.inputs, cases)
    by_name.warn_of_taught(arguments.run_folder, cases, say)
    network = _network(arguments, paths)
    folder.begin()
    rows: list[dict[str, Any]] = []
    refused = 0
    for case in cases:
        try:
            rows += _one(arguments, network, known, case, folder)
        except (*USER_ERRORS, OSError, MemoryError) as error:
            refused += 1
            told = error if isinstance(error, USER_ERRORS) else _failure(case, error)
            say(f"gliozoo: {told}{by_name.of_fewer_channels(case, known)}")
    if rows:
        folder.write({planned.VOLUMES: csv_table.text(rows).encode("utf-8", "backslashreplace")})
    say(f"{len(cases) - refused} of {len(cases)} scans predicted, in {arguments.out}")
    if arguments.view and rows:
        say(f"the pages: {arguments.out / 'pages'}")
    if arguments.json:
        print(json.dumps(rows))
    if arguments.demo and not refused:
        demo.show(arguments.out)
    return launch.USER if refused else launch.FINE


def ensemble_ways() -> tuple[str, ...]:
    """List how several networks may be one."""
    return ("mean", "majority", "staple")


def _settle(arguments: argparse.Namespace) -> None:
    """Make the demo's scan, or require what is predicted and where to."""
    from benchmarks.predicting import demo

    if arguments.demo:
        if arguments.inputs:
            raise UserError("Expected no scans with --demo, which makes its own.")
        arguments.inputs, arguments.out = demo.made(arguments.out)
        arguments.overlays = True
    elif not arguments.inputs:
        raise UserError("Expected scans to predict: NIfTI files, or folders; or --demo.")
    elif arguments.out is None:
        raise UserError("Expected a folder for the masks: --out DIR.")


def _asked(known: "Trained", arguments: argparse.Namespace) -> "Trained":
    """Put what the user asks for over how a network was evaluated."""
    from dataclasses import replace

    if arguments.batch_size is not None and arguments.batch_size < 1:
        raise UserError(f"Expected --batch-size of 1 or more. Received: {arguments.batch_size}.")
    options = {"overlap", "batch_size", "smallest"}
    wanted = {name: value for name in options if (value := getattr(arguments, name)) is not None}
    evaluation = replace(known.evaluation, **wanted)
    known = known.of_any_spacing() if arguments.any_spacing else known
    return replace(known, evaluation=evaluation, smallest=wanted.get("smallest", known.smallest))


def _network(arguments: argparse.Namespace, paths: list[Path]) -> "Panel":
    from benchmarks.backends import device
    from benchmarks.backends.device import silence

    device.start(arguments.backend, require=arguments.require_gpu)
    from benchmarks.backends import fusion
    from benchmarks.ensembles import panel

    fusion.fuse()
    with silence():
        return panel.seated(
            paths,
            arguments.model,
            arguments.ensemble,
            mirror=arguments.tta,
            asked=partial(_asked, arguments=arguments),
        )


def _names(arguments: argparse.Namespace, known: "Trained", case: "Case") -> tuple[str, ...]:
    from benchmarks.predicting import planned

    maps = tuple(known.target.regions) if arguments.probabilities else ()
    if arguments.uncertainty:
        maps += ("entropy", "disagreement") if arguments.several else ("entropy",)
    return planned.names(
        case, maps, probabilities=bool(maps), overlays=arguments.overlays, pages=arguments.view
    )


def _one(
    arguments: argparse.Namespace,
    network: "Panel",
    known: "Trained",
    case: "Case",
    folder: "Folder",
) -> list[dict[str, Any]]:
    """Predict one scan and write all of its files; return its volumes."""
    from benchmarks.predicting import predict
    from benchmarks.terminal import progress

    network.progress = progress.progress(case.name)
    found = predict.predict(network, known, case, least=arguments.least)
    folder.write(_files(arguments, found) | _doubts(arguments, network, found))
    rows = found.volumes()
    missing = [name for name in known.spec.channels if name not in case.channels]
    without = f" (without {', '.join(missing)})" if missing else ""
    own = f" (resampled from {found.voxel_size})" if found.resampled else ""
    say(f"{case.name}: {', '.join(map(_told, rows))}{without}{own}")
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
    if arguments.view:
        files[planned.page(case)] = _page(arguments, found)
    return files


def _page(arguments: argparse.Namespace, found: "Prediction") -> bytes:
    """Return the page of a scan; labels beside it that can't be read are no reason to lose it."""
    from benchmarks.viewing import page, shown_scan

    given = (found.scan.case, arguments.name, found.labels, found.target.regions)
    try:
        shown = shown_scan.predicted(*given)
    except USER_ERRORS as error:
        say(f"gliozoo: {error} The page shows no reference.")
        shown = shown_scan.predicted(*given, beside=False)
    return page.page(shown).encode()


def _doubts(
    arguments: argparse.Namespace, network: "Panel", found: "Prediction"
) -> dict[str, bytes]:
    """Return the files that say where the networks are not sure."""
    from benchmarks.ensembles import ensemble
    from data_pipeline.scans import mask_files

    if not arguments.uncertainty:
        return {}
    maps = {"entropy": ensemble.entropy(found.found)}
    apart = network.disagreement(found.scan.geometry)
    if apart is not None:
        maps["disagreement"] = apart
    return mask_files.probability_files(found.scan.case, found.scan.volume, maps)


def _failure(case: "Case", error: Exception) -> str:
    told = getattr(error, "strerror", None) or str(error) or "no memory is left"
    return f"{case.images[0]}: {told}; the other scans go on."


def _told(row: dict[str, Any]) -> str:
    size = f"{row['voxels']} voxels" if row["ml"] is None else f"{row['ml']:.1f} ml"
    return f"{row['region']} {size}"
