"""How long a step takes: warmed up, synchronised, repeated, as percentiles."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.backends import device, meters, programs

if TYPE_CHECKING:
    import keras

# Large enough that the product's n^3 hides everything else.
MATRIX_SIDE = {"cpu": 2048, "gpu": 8192}
IN_A_RUN = 2.0  # seconds that a run spends on its own step


@dataclass(frozen=True)
class Timing:
    """One step's seconds at the median and the 95th percentile, after `compile_s` of warm-up.

    `joules` are those of the GPU for one step; None where there is no GPU or no meter.
    """

    p50: float
    p95: float
    repeats: int
    compile_s: float
    joules: float | None = None

    def per_second(self, batch_size: int) -> float:
        """Return samples per second at the median."""
        return batch_size / self.p50

    def milliseconds(self) -> dict[str, float]:
        """Return the percentiles as records and tables name them."""
        return {"p50": 1e3 * self.p50, "p95": 1e3 * self.p95}


def measure(step: Callable[[], Any], budget_s: float = 3.0, least: int = 5) -> Timing:
    """Time a step that returns what to wait for: within a budget, but never under `least` times.

    The first call compiles; what it takes beyond a usual one is `compile_s`. The second warms
    caches up and is not counted either.
    """
    first = _seconds(step)
    _seconds(step)
    before = meters.energy_joules()
    times = _repeated(step, budget_s, least)
    after = meters.energy_joules()
    p50, p95 = map(float, np.percentile(times, (50, 95)))
    joules = None if before is None or after is None else (after - before) / len(times)
    return Timing(p50, p95, len(times), max(0.0, first - p50), joules)


def _repeated(step: Callable[[], Any], budget_s: float, least: int) -> list[float]:
    times: list[float] = []
    while len(times) < least or math.fsum(times) < budget_s:
        times.append(_seconds(step))
    return times


def _seconds(step: Callable[[], Any]) -> float:
    start = time.perf_counter()
    device.synchronise(step())
    return time.perf_counter() - start


def inference_step(model: "keras.Model", batch_size: int, jit: bool) -> Callable[[], Any]:
    """Return one forward pass over a batch that already lies on the device."""
    from keras import ops

    infer = programs.forward(model, jit)
    images = ops.convert_to_tensor(_images(model, batch_size))
    return lambda: infer(images)


def training_step(model: "keras.Model", batch_size: int, jit: bool) -> Callable[[], Any]:
    """Return one optimiser step: forward, cross-entropy, backward, Adam, compiled by Keras."""
    model.compile(optimizer="adam", loss="binary_crossentropy", jit_compile=jit)
    images = _images(model, batch_size)
    shape = (batch_size, *images.shape[1:-1], model.output_shape[-1])
    masks = (np.random.default_rng(1).random(shape) > 0.9).astype("float32")
    return lambda: model.train_on_batch(images, masks)


def _images(model: "keras.Model", batch_size: int) -> np.ndarray:
    shape: Sequence[int] = model.input_shape[1:]
    return np.random.default_rng(0).random((batch_size, *shape), dtype="float32")


def peak_gflops(dtype: str, budget_s: float = 1.0) -> float:
    """Return what the device reaches in a large matrix product: its roof, measured here and now."""
    from keras import ops

    side = MATRIX_SIDE["gpu" if device.gpus() else "cpu"]
    values = np.random.default_rng(0).standard_normal((side, side), dtype="float32")
    matrix = ops.cast(ops.convert_to_tensor(values), dtype)

    def product() -> Any:
        return ops.matmul(matrix, matrix)

    for _ in range(2):
        _seconds(product)
    return 2e-9 * side**3 / min(_repeated(product, budget_s, least=5))
