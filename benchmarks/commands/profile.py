"""`gliozoo profile MODEL`: parameters, operations, speed and memory, for any shape in 2D and 3D.

With `--runtimes` a model or a run, in every runtime of this machine; a run with its test patients.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import zoo
from benchmarks.errors import UserError

if TYPE_CHECKING:
    from benchmarks.cost.profile import Profile
    from benchmarks.cost.profiled_model import Subject


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "model", metavar="MODEL|RUN", help="a name of `gliozoo list`; a run for --runtimes"
    )
    parser.add_argument("--variant", help="a published variant of the model")
    parser.add_argument(
        "--input-shape", type=sides, metavar="128,128,3", help="default: that of the card"
    )
    parser.add_argument("--classes", type=int, help="default: those of the card")
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--width", type=float, default=1.0, help="factor on every width")
    parser.add_argument("--train", action="store_true", help="time an optimiser step too")
    parser.add_argument("--audit", action="store_true", help="compare the count with XLA's program")
    parser.add_argument(
        "--runtimes", action="store_true", help="Keras, XLA, onnxruntime, OpenVINO: speed and Dice"
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="of the RUN: adds the Dice")
    parser.add_argument("--version", metavar="YEAR", help="of its BraTS data")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="prepared data")
    parser.add_argument("--backend", choices=("tensorflow", "jax", "torch"))
    parser.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        default="float32",
    )
    parser.add_argument("--jit", action=argparse.BooleanOptionalAction, help="compile with XLA")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each timing")
    parser.add_argument("--require-gpu", action="store_true", help="fail if no GPU is seen")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def sides(text: str) -> tuple[int, ...]:
    """Read `128,128,3` (or `128x128x3`)."""
    try:
        return tuple(int(side) for side in text.replace("x", ",").split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected sides such as 128,128,3, not {text!r}"
        ) from None


def run(arguments: argparse.Namespace) -> int:
    """Profile one model and print it."""
    from benchmarks.backends import device

    if arguments.runtimes:
        return _runtimes(arguments)
    subject = subject_of(arguments)
    device.start(arguments.backend, require=arguments.require_gpu)
    if arguments.audit and device.backend() == "torch":
        raise UserError("--audit reads XLA's program: give --backend tensorflow or jax.")
    from benchmarks.cost.profile import profile

    print(f"Profiling {subject.model} on {device.backend()} ...", file=sys.stderr)
    result = profile(
        subject,
        train=arguments.train,
        audited=arguments.audit,
        jit=arguments.jit,
        budget_s=arguments.seconds,
    )
    if arguments.json:
        print(json.dumps(result.as_dict(), indent=2))
    else:
        print_profile(result)
    return 0


def _runtimes(arguments: argparse.Namespace) -> int:
    """Measure every runtime; what a run's patients say lies beside its record from then on."""
    from dataclasses import asdict

    from benchmarks.backends import device
    from benchmarks.comparison.reading import runtime_sheet
    from benchmarks.tables import runtime_rows
    from benchmarks.terminal.streams import say

    if arguments.backend not in (None, "tensorflow"):
        raise UserError("--runtimes exports the network, which TensorFlow does: leave --backend.")
    device.start("tensorflow")
    from benchmarks.predicting.own_patients import Place
    from benchmarks.runtimes import asked_network, measured
    from benchmarks.runtimes.asked_network import Asked

    if arguments.model in zoo.names():
        one = subject_of(arguments)
        sides = (one.input_shape, one.classes, one.variant, one.width)
        asked = Asked(zoo.create(one.model, *sides), one.model)
    else:
        place = Place(arguments.data, arguments.version, arguments.cache)
        asked = asked_network.of_run(arguments.model, place)
    sheet = measured.measure(asked, arguments.seconds)
    if arguments.json:
        print(json.dumps(asdict(sheet), sort_keys=True))
    else:
        runtime_rows.show([sheet])
    if asked.sheet:
        runtime_sheet.write(sheet, asked.sheet)
        say(f"Wrote {asked.sheet}")
    return 0


def subject_of(arguments: argparse.Namespace) -> "Subject":
    """Return what is to be profiled; a name that is not in the zoo is refused at once."""
    from benchmarks.cost.profiled_model import Subject

    card = zoo.card(arguments.model)
    variant = arguments.variant
    stated = card.reference(variant) if variant in card.variants else card
    return Subject(
        model=arguments.model,
        variant=variant,
        input_shape=arguments.input_shape or stated.input_shape,
        classes=arguments.classes or stated.classes,
        width=arguments.width,
        batch_size=arguments.batch_size,
        precision=arguments.precision,
    )


def print_profile(result: "Profile") -> None:
    """Print a profile as a table, and its audit as another."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    shape = "x".join(map(str, result.input_shape))
    name = f"{result.model}:{result.variant}" if result.variant else result.model
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    table.title = f"{name}, {shape} -> {result.classes}, batch {result.infer_batch_size}"
    table.title_justify = "left"
    table.add_column(style="bold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for row in rows(result):
        table.add_row(*row)
    console.print(table)
    if result.audit:
        _print_audit(console, result)


def rows(result: "Profile") -> list[tuple[str, str, str]]:
    """Return the lines of the table: what, how much, and by which rule."""
    program = "compiled as a whole" if result.jit else "not compiled as a whole"
    lines = [
        ("backend", result.backend, f"{result.precision}, {program}"),
        ("parameters", f"{result.params:,}", f"{result.params_trainable:,} trainable"),
        ("GMACs", f"{result.gmacs:.3f}", "convolutions and dense layers, per call, one sample"),
        ("GFLOPs", f"{result.gflops:.3f}", "2 x GMACs"),
        ("GFLOPs, other", f"{result.gflops_other:.3f}", "elementwise, normalisation, resampling"),
        ("inference", _milliseconds(result.latency_ms), "p50 / p95 of a batch"),
        ("images/s", f"{result.infer_samples_per_sec:.2f}", "batch / p50"),
    ]
    if result.train_step_ms and result.train_samples_per_sec:
        lines += [
            ("training step", _milliseconds(result.train_step_ms), "p50 / p95; Adam"),
            ("training images/s", f"{result.train_samples_per_sec:.2f}", "batch / p50"),
        ]
    return [*lines, *_machine_rows(result)]


def _machine_rows(result: "Profile") -> list[tuple[str, str, str]]:
    lines = [("warm-up", f"{result.compile_s:.2f} s", "the first call beyond a usual one")]
    if result.peak_memory_bytes is not None:
        size = f"{result.peak_memory_bytes / 2**20:,.0f} MiB"
        lines.append(("peak memory", size, "in a process of its own, beyond the bare backend"))
    lines += [
        ("device peak", f"{result.peak_gflops_measured:,.1f} GFLOP/s", "a matrix product, here"),
        ("MFU", f"{100 * result.mfu:.1f} %", "achieved over the device's peak"),
        ("intensity", f"{result.arithmetic_intensity:.1f} FLOP/byte", "each call's bytes once"),
    ]
    if result.energy_j_per_sample is not None:
        lines.append(("energy", f"{result.energy_j_per_sample:.3f} J", "a sample, whole GPU"))
    return lines


def _milliseconds(percentiles: dict[str, float]) -> str:
    return f"{percentiles['p50']:.2f} / {percentiles['p95']:.2f} ms"


def _print_audit(console, result: "Profile") -> None:
    from rich import box
    from rich.table import Table

    from benchmarks.cost.flops_audit import unexplained

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("operation")
    for heading in ("calls", "counted", "XLA"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why they differ", style="dim")
    for entry in result.audit:
        counts = (f"{1e-9 * entry.counted:.4f}", f"{1e-9 * entry.compiler:.4f}")
        table.add_row(entry.operation, str(entry.calls), *counts, entry.explanation)
    console.print(table)
    share = 100 * unexplained(result.audit)
    console.print(f"GFLOPs. Unexplained: {share:.2f} % of the compiler's count.", style="dim")
