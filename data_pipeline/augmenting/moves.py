"""What is drawn for a sample, and where that moves its voxels.

The randomness of a sample is a hash of (seed, epoch, sample) and of nothing else. Each change has
numbers of its own in it, so that switching one on does not alter the others.
"""

import hashlib
import struct
from math import radians

import numpy as np

from data_pipeline.augmenting.augmentation import AFFINE, Augmentation
from data_pipeline.augmenting.motion import Motion, affine, keras_affine

Key = tuple[int, int, int]  # seed, epoch, sample
_KEY = struct.Struct("<3q")
# Uniform numbers in [0, 1), in the order in which a sample's hash yields them: append only.
_NUMBERS = (
    *("flip", "flip_vertical", "flip_depth", "affine", "rotation", "tilt_y", "tilt_x"),
    *("shift_x", "shift_y", "shift_z", "shear_x", "shear_y", "zoom", "elastic", "elastic_seed"),
    *("gamma", "gamma_value", "contrast", "contrast_value", "noise", "noise_value", "noise_seed"),
    *("bias_field", "bias_value", "bias_seed", "zoom_x", "channel_seed"),
)
_WORDS = struct.Struct(f"<{len(_NUMBERS)}I")


def draw(key: Key) -> dict[str, float]:
    """Draw a sample's uniform numbers by name, in five microseconds."""
    words = _WORDS.unpack(hashlib.shake_128(_KEY.pack(*key)).digest(_WORDS.size))
    return {name: word * 2.0**-32 for name, word in zip(_NUMBERS, words, strict=True)}


def move(
    augmentation: Augmentation, numbers: dict[str, float], shape: tuple[int, ...]
) -> Motion | None:
    """Compose the spatial changes of one sample; None where nothing moves."""
    flips = tuple(
        numbers[name] < getattr(augmentation, name)
        for name in ("flip_depth", "flip_vertical", "flip")[3 - len(shape) :]
    )
    elastic = augmentation.elastic if happens(augmentation, "elastic", numbers) else 0.0
    moves = any(getattr(augmentation, name) for name in AFFINE)
    seed = int(numbers["elastic_seed"] * 2**32)
    if moves and numbers["affine"] < augmentation.affine_probability:
        how = _keras_affine if augmentation.as_keras else _affine
        where = how(augmentation, numbers, shape, flips)
        return Motion(shape, flips, where, elastic, seed, repeat=augmentation.as_keras)
    if elastic:
        return Motion(shape, flips, affine(shape, flips), elastic, seed)
    return Motion(shape, flips, None) if any(flips) else None


def _affine(
    a: Augmentation, numbers: dict[str, float], shape: tuple[int, ...], flips: tuple[bool, ...]
) -> np.ndarray:
    turns = (("rotation", a.rotation), ("tilt_y", a.tilt), ("tilt_x", a.tilt))
    return affine(
        shape,
        flips,
        angles=[radians(signed(numbers[name]) * most) for name, most in turns],
        shifts=[signed(numbers[f"shift_{axis}"]) * a.shift for axis in "zyx"],
        shears=[signed(numbers[f"shear_{axis}"]) * a.shear for axis in "yx"],
        zoom=1 + signed(numbers["zoom"]) * a.zoom,
    )


def _keras_affine(
    a: Augmentation, numbers: dict[str, float], shape: tuple[int, ...], flips: tuple[bool, ...]
) -> np.ndarray:
    return keras_affine(
        shape,
        flips,
        angle=radians(signed(numbers["rotation"]) * a.rotation),
        shear=radians(signed(numbers["shear_y"]) * a.shear),
        shifts=[signed(numbers[f"shift_{axis}"]) * a.shift for axis in "yx"],
        zooms=[1 + signed(numbers[name]) * a.zoom for name in ("zoom", "zoom_x")],
    )


def happens(augmentation: Augmentation, name: str, numbers: dict[str, float]) -> bool:
    """Tell whether a change that has a probability of its own comes about."""
    often = getattr(augmentation, f"{name}_probability")
    return bool(getattr(augmentation, name)) and numbers[name] < often


def signed(number: float) -> float:
    """Stretch a number of [0, 1) to [-1, 1)."""
    return 2 * number - 1
