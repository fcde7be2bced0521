"""How far an exported network's answers lie from its source's, on noise and on what looks real."""

from collections.abc import Callable
from typing import Any

import numpy as np

Network = Callable[[np.ndarray], np.ndarray]
LIMIT = 1e-4  # of a probability: float32 in another order of additions stays a hundredth of it
BATCH = 2
FREE_SIDE = 64  # stands for a side that may be any


def inputs(shape: tuple[int | None, ...]) -> dict[str, np.ndarray]:
    """Return batches of noise, and of smooth heads in an empty field, as z-scores are."""
    sides = tuple(side or FREE_SIDE for side in shape)
    draw = np.random.default_rng(0)
    noise = draw.normal(size=(BATCH, *sides)).astype(np.float32)
    return {"random": noise, "real_like": np.stack([_head(sides, draw) for _ in range(BATCH)])}


def _head(shape: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    """Draw an ellipsoid of smooth tissue with a bright lesion, zero around it."""
    *sides, channels = shape
    axes = np.meshgrid(*[np.linspace(-1, 1, side) for side in sides], indexing="ij")
    radius = sum(axis**2 for axis in axes)
    centre = draw.uniform(-0.4, 0.4, len(sides))
    lesion = sum((axis - at) ** 2 for axis, at in zip(axes, centre, strict=True)) < 0.06
    planes = []
    for _ in range(channels):
        phase = draw.uniform(0, 6, len(sides))
        waves = sum(np.sin(5 * axis + p) for axis, p in zip(axes, phase, strict=True))
        planes.append(np.where(radius < 0.8, waves / len(sides) + 3 * lesion, 0))
    return np.stack(planes, axis=-1).astype(np.float32)


def differences(source: Network, exported: Network, shape: Any) -> dict[str, float]:
    """Return the largest difference of a probability, by the kind of input; NaN counts as 1."""
    found = {}
    for name, batch in inputs(shape).items():
        apart = np.abs(np.asarray(source(batch)) - np.asarray(exported(batch)))
        found[name] = float(np.nan_to_num(apart, nan=1.0).max())
    return found
