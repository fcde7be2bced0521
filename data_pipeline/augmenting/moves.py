"""What is drawn for samples, and where that moves their voxels.

The randomness of a sample is a hash of (seed, epoch, sample) and of nothing else. Each change has
numbers of its own in it, so that switching one on does not alter the others. All of a batch is
drawn and composed at once: one by one, Python would hold its lock nearly twice as long, and other
threads would wait for it.
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from data_pipeline.augmenting.augmentation import AFFINE, Augmentation
from data_pipeline.augmenting.motion import Motion, affine, keras_affine

Key = tuple[int, int, int]  # seed, epoch, sample
Numbers = Mapping[str, np.ndarray]  # by name, one a sample
_KEY = struct.Struct("<3q")
# Uniform numbers in [0, 1), in the order in which a sample's hash yields them: append only.
_NUMBERS = (
    *("flip", "flip_vertical", "flip_depth", "affine", "rotation", "tilt_y", "tilt_x"),
    *("shift_x", "shift_y", "shift_z", "shear_x", "shear_y", "zoom", "elastic", "elastic_seed"),
    *("gamma", "gamma_value", "contrast", "contrast_value", "noise", "noise_value", "noise_seed"),
    *("bias_field", "bias_value", "bias_seed", "zoom_x", "channel_seed"),
)
_FLIPS = ("flip_depth", "flip_vertical", "flip")  # in the order of the axes
_BYTES = 4 * len(_NUMBERS)


def draw(keys: Sequence[Key]) -> Numbers:
    """Draw the uniform numbers of samples by name."""
    hashes = b"".join(hashlib.shake_128(_KEY.pack(*key)).digest(_BYTES) for key in keys)
    words = np.frombuffer(hashes, "<u4").reshape(len(keys), -1)
    return dict(zip(_NUMBERS, words.T * 2.0**-32, strict=True))


def moves(
    augmentation: Augmentation, numbers: Numbers, shape: tuple[int, ...]
) -> list[Motion | None]:
    """Compose the spatial changes of samples of one shape; None where nothing moves."""
    names = _FLIPS[3 - len(shape) :]
    flips = np.stack([numbers[name] < getattr(augmentation, name) for name in names], axis=-1)
    bent = happens(augmentation, "elastic", numbers)
    turns = any(getattr(augmentation, name) for name in AFFINE)
    turned = (numbers["affine"] < augmentation.affine_probability) & turns
    maps = np.empty(0)
    if turned.any() or bent.any():
        how = _keras_affine if augmentation.as_keras else _affine
        maps = how(augmentation, numbers, shape, flips)
        if not turned.all():
            maps = np.where(turned[:, None, None], maps, affine(shape, flips))
    found: list[Motion | None] = []
    seeds = (numbers["elastic_seed"] * 2**32).astype(int).tolist()
    each = zip(flips.tolist(), turned.tolist(), bent.tolist(), seeds, strict=True)
    for n, (flipped, turn, bend, seed) in enumerate(each):
        where = maps[n] if turn or bend else None
        elastic = augmentation.elastic if bend else 0.0
        own = Motion(shape, tuple(flipped), where, elastic, seed, augmentation.as_keras)
        found.append(own if where is not None or any(flipped) else None)
    return found


def _affine(
    a: Augmentation, numbers: Numbers, shape: tuple[int, ...], flips: np.ndarray
) -> np.ndarray:
    turns = (("rotation", a.rotation), ("tilt_y", a.tilt), ("tilt_x", a.tilt))
    return affine(
        shape,
        flips,
        angles=[np.radians(signed(numbers[name]) * most) for name, most in turns],
        shifts=[signed(numbers[f"shift_{axis}"]) * a.shift for axis in "zyx"],
        shears=[signed(numbers[f"shear_{axis}"]) * a.shear for axis in "yx"],
        zoom=1 + signed(numbers["zoom"]) * a.zoom,
    )


def _keras_affine(
    a: Augmentation, numbers: Numbers, shape: tuple[int, ...], flips: np.ndarray
) -> np.ndarray:
    return keras_affine(
        shape,
        flips,
        angle=np.radians(signed(numbers["rotation"]) * a.rotation),
        shear=np.radians(signed(numbers["shear_y"]) * a.shear),
        shifts=[signed(numbers[f"shift_{axis}"]) * a.shift for axis in "yx"],
        zooms=[1 + signed(numbers[name]) * a.zoom for name in ("zoom", "zoom_x")],
    )


def happens(augmentation: Augmentation, name: str, numbers: Mapping[str, Any]) -> Any:
    """Tell of a sample, or of each, if a change that has a probability of its own comes about."""
    often = getattr(augmentation, f"{name}_probability")
    return (numbers[name] < often) & bool(getattr(augmentation, name))


def signed(number: Any) -> Any:
    """Stretch a number of [0, 1), or an array of them, to [-1, 1)."""
    return 2 * number - 1
