"""Every way to run one network here: Keras, XLA, and the runtimes that exports are for."""

import functools
import os
import shutil
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
Made = tuple[Network, float]  # and its megabytes
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

    @functools.cache
    def written(form: str) -> Path:
        return _written(model, form, folder / form)

    def of(path: Path, runner: Callable[..., Network], *settings: str) -> Made:
        return runner(path, threads, *settings), _megabytes(path)

    ways: dict[str, Callable[[], Made]] = {
        KERAS: lambda: (_program(model, jit=False), weights),
        "XLA": lambda: (_program(model, jit=True), weights),
        "onnxruntime": lambda: of(written("onnx"), onnx_file.runner),
        "openvino, f32": lambda: of(written("openvino"), openvino_file.runner),
        "openvino, bf16": lambda: of(written("openvino"), openvino_file.runner, "bf16"),
        "onnxruntime, int8": lambda: of(
            _eight(written("onnx"), samples, folder / "int8"), onnx_file.runner
        ),
    }
    for name, make in ways.items():
        yield _made(name, make)


def _made(name: str, make: Callable[[], Made]) -> Engine:
    """Return a runtime, or why it has none: a package, a converter or a processor lacks it."""
    try:
        return Engine(name, *make())
    except Exception as error:
        return Engine(name, refused=exported.reason(error))


def _program(model: Any, *, jit: bool) -> Network:
    from keras import ops

    infer = programs.forward(model, jit)
    return lambda batch: np.asarray(ops.convert_to_numpy(infer(ops.convert_to_tensor(batch))))


def _written(model: Any, form: str, folder: Path) -> Path:
    """Write a format's file without the facts that surround a network."""
    made = exported.module(form)
    path = folder / f"network{made.SUFFIX}"
    exported.require(form, path)
    folder.mkdir(exist_ok=True)
    with device.silence():
        made.write(model, path)
    return path


def _eight(whole: Path, samples: np.ndarray | None, folder: Path) -> Path:
    """Return a copy of a network in eight bits."""
    if samples is None:
        raise UserError("its ranges are measured on patients: name them with --data")
    folder.mkdir(exist_ok=True)
    path = Path(shutil.copy(whole, folder))
    with device.silence():
        int8.quantise(path, samples)
    return path


def _megabytes(path: Path) -> float:
    """Return the size of a file with what lies beside it."""
    sizes = (os.path.getsize(file) for file in path.parent.iterdir())
    return sum(sizes) / MEGABYTE
