"""Changes of brightness that a scanner makes: gamma, contrast, noise, coil shading.

Zeros stay zero: they are the background that skull stripping or padding left.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Change:
    """What happens to one sample, in the order of the fields' use: bias, gamma, contrast, noise."""

    gamma: float = 1.0
    contrast: float = 1.0
    noise: float = 0.0
    bias: float = 0.0
    seeds: tuple[int, int] = (0, 0)


def apply(image: np.ndarray, change: Change) -> np.ndarray:
    """Change `(..., C)` voxels channel by channel; the type is kept, whole numbers are rounded."""
    noise = np.random.Generator(np.random.Philox(key=change.seeds[0]))
    field = _bias_field(image.shape[:-1], change)
    changed = np.empty_like(image)
    for channel in range(image.shape[-1]):
        plane = image[..., channel].astype(np.float32)
        changed[..., channel] = _typed(_changed(plane, change, field, noise), image.dtype)
    return changed


def _changed(
    plane: np.ndarray, change: Change, field: np.ndarray | None, noise: np.random.Generator
) -> np.ndarray:
    background = plane == 0
    low, high = float(plane.min()), float(plane.max())
    span = high - low
    if span == 0:
        return plane
    unit = (plane - np.float32(low)) / np.float32(span)
    if field is not None:
        unit *= field
    if change.gamma != 1:
        unit = np.clip(unit, 0, None) ** np.float32(change.gamma)
    if change.contrast != 1:
        middle = unit[~background].mean()
        unit = np.clip((unit - middle) * np.float32(change.contrast) + middle, 0, 1)
    if change.noise:
        unit += noise.standard_normal(unit.shape, np.float32) * np.float32(change.noise)
    result = unit * np.float32(span) + np.float32(low)
    result[background] = 0
    return result


def _bias_field(shape: tuple[int, ...], change: Change) -> np.ndarray | None:
    """Return a quadratic field between 1 - bias and 1 + bias."""
    if not change.bias:
        return None
    weights = np.random.Generator(np.random.Philox(key=change.seeds[1]))
    field = np.zeros(shape, np.float32)
    for axis, side in enumerate(shape):
        along = np.linspace(-1, 1, side, dtype=np.float32)
        slope, bend = weights.uniform(-1, 1, 2).astype(np.float32)
        spread = [1] * len(shape)
        spread[axis] = side
        field = field + (slope * along + bend * along * along).reshape(spread)
    largest = max(float(np.abs(field).max()), 1e-6)
    return 1 + field * np.float32(change.bias / largest)


def _typed(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind not in "iu":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)
