"""`gliozoo export RUN|PRESET|MODEL --format F --out PATH`; `gliozoo export show PATH`."""

import argparse
import json
from pathlib import Path
from typing import Any

import zoo
from benchmarks.commands.profile import sides
from benchmarks.errors import UserError
from benchmarks.exporting import exported
from benchmarks.terminal.progress import waiting
from benchmarks.terminal.streams import say, shown

SHOW = "show"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "source",
        metavar="RUN|PRESET|MODEL",
        help="a run's folder or weights, several by commas are averaged; or: show PATH",
    )
    parser.add_argument("path", nargs="?", type=Path, metavar="PATH", help="of `export show PATH`")
    parser.add_argument("--format", choices=tuple(exported.FORMATS))
    parser.add_argument("--out", type=Path, metavar="PATH")
    parser.add_argument("--limit", type=float, help="largest difference of a probability accepted")
    parser.add_argument("--free-sides", action="store_true", help="inputs of any fitting size")
    parser.add_argument("--int8", action="store_true", help="eight bits (onnx), with --calibrate")
    parser.add_argument(
        "--calibrate", type=Path, nargs="+", metavar="DATA", help="scans that show the ranges"
    )
    parser.add_argument("--runner", action="store_true", help="put segment.py beside the file")
    parser.add_argument("--variant", help="of a MODEL")
    parser.add_argument("--input-shape", type=sides, metavar="128,128,3", help="of a MODEL")
    parser.add_argument("--classes", type=int, help="of a MODEL")
    parser.add_argument("--width", type=float, default=1.0, help="of a MODEL")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Export, or show what a file says of itself."""
    if arguments.source == SHOW:
        if arguments.path is None:
            raise UserError("Expected a file: gliozoo export show PATH.")
        _print(exported.read(arguments.path), arguments.json)
        return 0
    if arguments.path is not None or arguments.format is None or arguments.out is None:
        raise UserError("Expected `gliozoo export RUN|PRESET|MODEL --format FORMAT --out PATH`.")
    exported.require(arguments.format, arguments.out)
    with waiting(f"Exporting {arguments.source}, and comparing"):
        facts = _export(arguments)
    if arguments.runner:
        _put_runner(arguments.out)
    _print(facts, arguments.json)
    say(f"written: {arguments.out}")
    return 0


def _export(arguments: argparse.Namespace) -> dict[str, Any]:
    from dataclasses import replace

    from benchmarks.backends import device
    from benchmarks.ensembles import ensemble
    from benchmarks.exporting import int8, parity
    from benchmarks.predicting import trained_network
    from data_pipeline.scans import search

    named = arguments.source in zoo.names()
    paths = [] if named else trained_network.find_all(arguments.source)
    trained = ensemble.usage_of_one_model(paths) if paths else None
    if arguments.int8 and (trained is None or arguments.calibrate is None):
        raise UserError("Expected a trained run and --calibrate SCANS with --int8.")
    if arguments.int8 and arguments.format != "onnx":
        raise UserError(f"Expected --format onnx with --int8. Received: {arguments.format}.")
    cases = []
    if arguments.int8 and trained:
        cases = search.find(arguments.calibrate, trained.wanted)
    device.start(exported.module(arguments.format).BACKEND)
    request = exported.Request(arguments.format, arguments.out, arguments.limit or parity.LIMIT)
    if cases and trained:
        request = replace(request, calibration=int8.samples(trained, cases))
    with device.silence():
        networks = [_trained_model(arguments, path) for path in paths] or [_untrained(arguments)]
        return exported.export(networks, trained, request)


def _untrained(arguments: argparse.Namespace):
    card = zoo.card(arguments.source)
    shape = arguments.input_shape or card.input_shape
    shape = (*[None] * (len(shape) - 1), shape[-1]) if arguments.free_sides else shape
    classes = card.classes if arguments.classes is None else arguments.classes
    return zoo.create(arguments.source, shape, classes, arguments.variant, arguments.width)


def _trained_model(arguments: argparse.Namespace, path: Path):
    from zoo import weights

    model = weights.restore(path)
    if not arguments.free_sides:
        return model
    made = weights.identity_of(model)
    free = (*[None] * (len(made.input_shape) - 1), made.input_shape[-1])
    settings = (made.classes, made.variant, made.width, path)
    return zoo.create(made.architecture, free, *settings, **made.settings)


def _put_runner(out: Path) -> None:
    from benchmarks.exporting import segment
    from benchmarks.records import atomic

    source = Path(segment.__file__).read_bytes()
    place = out.with_name("segment.py")
    if place.exists() and place.read_bytes() != source:
        raise UserError(f"{place}: is there already, and not the runner; move it.")
    atomic.write_out(place, source)


def _print(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    rows = {key: value for key, value in facts.items() if key != "scan"}
    rows |= {f"scan {name}": value for name, value in (facts["scan"] or {}).items()}
    for name, value in rows.items():
        print(f"{name:<20}{shown(json.dumps(value))}")
    if not facts["scan"]:
        print("not trained: it says nothing of scans")
