"""Every way to run one network here: Keras, XLA, and the runtimes that exports are for."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.backends import device, programs
from benchmarks.errors import UserError
from benchmarks.exporting import exported, int8, onnx_file, openvino_file
from benchmarks.exporting.parity import Network
from benchmarks.machine import resources

KERAS = "keras"
MEGABYTE = 10**6


@dataclass(frozen=True)
class Engine:
    """A runtime with the network in it; `refused` says why there is none."""

    name: str
    network: Network | None = None
    megabytes: float | None = None
    refused: str = ""


def engines(model: Any, samples: np.ndarray | None, folder: Path) -> Iterator[Engine]:
    """Yield each runtime, Keras first; `samples` show int8 its ranges."""
    threads = resources.in_use()
    weights = 4 * model.count_params() / MEGABYTE
    yield Engine(KERAS, _program(model, jit=False), weights)
    yield _made("XLA", lambda: Engine("XLA", _program(model, jit=True), weights))
    ways: dict[str, tuple[str, Callable[[Path], Network]]] = {
        "onnxruntime": ("onnx", lambda path: onnx_file.runner(path, threads)),
        "openvino, f32": ("openvino", lambda path: openvino_file.runner(path, threads)),
        "openvino, bf16": ("openvino", lambda path: openvino_file.runner(path, threads, "bf16")),
    }
    files: dict[str, Path] = {}
    for name, (form, runner) in ways.items():

        def make(name=name, form=form, runner=runner) -> Engine:
            if form not in files:
                files[form] = _written(model, form, folder / form)
            return Engine(name, runner(files[form]), _megabytes(files[form]))

        yield _made(name, make)

    def eight() -> Engine:
        if samples is None:
            raise UserError("its ranges are measured on patients: name them with --data")
        path = _written(model, "onnx", folder / "int8")
        with device.silence():
            int8.quantise(path, samples)
        return Engine("onnxruntime, int8", onnx_file.runner(path, threads), _megabytes(path))

    yield _made("onnxruntime, int8", eight)


def _made(name: str, make: Callable[[], Engine]) -> Engine:
    """Return a runtime, or why it has none: a package, a converter or a processor lacks it."""
    try:
        return make()
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        return Engine(name, refused=reason)


def _program(model: Any, *, jit: bool) -> Network:
    from keras import ops

    infer = programs.forward(model, jit)
    return lambda batch: np.asarray(ops.convert_to_numpy(infer(ops.convert_to_tensor(batch))))


def _written(model: Any, form: str, folder: Path) -> Path:
    """Write a format's file without the facts that surround a network."""
    made = exported.module(form)
    path = folder / f"network{made.SUFFIX}"
    exported.require(form, path)
    folder.mkdir()
    with device.silence():
        made.write(model, path)
    return path


def _megabytes(path: Path) -> float:
    """Return the size of a file with what lies beside it."""
    sizes = (os.path.getsize(file) for file in path.parent.iterdir())
    return sum(sizes) / MEGABYTE
