"""Four phantoms learned by heart, and known in inference, where moving statistics normalise."""

import time
from pathlib import Path

import keras
import numpy as np

import data_pipeline
from benchmarks.contract.checks import Tried
from benchmarks.errors import UserError
from benchmarks.training import losses
from data_pipeline import Cohort, DataSpec

PART = "learns four phantoms by heart"
STEPS, EVERY = 160, 20
ENOUGH = 0.8  # a network of a few channels that is right comes to .88
RATE = 5e-3


def require(tried: Tried, seconds: float, cache: Path) -> None:
    """Refuse a model that can't learn by heart, or does not know it in inference."""
    x, y = samples(tried.rank, cache)
    keras.utils.set_random_seed(0)
    model = tried.create()
    schedule = keras.optimizers.schedules.CosineDecay(RATE, STEPS)
    model.compile(keras.optimizers.Adam(schedule), loss=losses.create("bce+dice"))
    began, known = time.process_time(), 0.0
    for step in range(1, STEPS + 1):
        model.train_on_batch(x, y)
        if step % EVERY:
            continue
        known = _dice(y, model(x, training=False))
        if known >= ENOUGH:
            return
        if time.process_time() - began > seconds:
            raise UserError(
                f"its Dice is {known:.2f} after {step} steps, and {seconds:g} s of processor "
                f"time are over; "
                f"give more with --seconds{_hint(tried)}."
            )
    _refuse(known, _dice(y, model(x, training=True)))


def _refuse(known: float, trained: float) -> None:
    if trained >= ENOUGH:
        raise UserError(
            f"it learns (Dice {trained:.2f}) and does not know it in inference ({known:.2f}); give "
            "BatchNormalization a momentum of .9, or statistics for each call of a shared layer."
        )
    raise UserError(
        f"its Dice is {known:.2f} after {STEPS} steps on four samples; look whether a gradient "
        "reaches every layer, and whether skips and upsampling keep the place of a voxel."
    )


def _hint(tried: Tried) -> str:
    small = tried.width < 1
    return "" if small else ", or give build a keyword `widths`, by which it is tried small"


def samples(rank: int, cache: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return four samples, of a phantom each, with large tumours."""
    spec = DataSpec(
        rank=rank,
        size={2: (64, 64), 3: (32, 32, 32)}[rank],
        batch_size=4,
        normalisation="minmax_slice",
        foreground_oversampling=1.0,
        phantom=Cohort(patients=8, size=64),
    )
    data = data_pipeline.load(spec, cache=cache, threads=1)
    x, y = (np.concatenate(parts) for parts in zip(*data.batches("train"), strict=True))
    y = y.astype("float32")
    largest = np.argsort(-y.sum(axis=tuple(range(1, y.ndim))), kind="stable")[:40:10]
    return x[largest], y[largest]


def _dice(y: np.ndarray, answer) -> float:
    found = keras.ops.convert_to_numpy(answer) > 0.5
    axes = tuple(range(1, y.ndim))
    return float((2 * (found * y).sum(axes) / (found.sum(axes) + y.sum(axes))).mean())
