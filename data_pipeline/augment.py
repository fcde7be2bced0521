"""Random changes of an image together with its mask, repeatable whatever thread makes them.

The randomness of a sample is a hash of (seed, epoch, sample) and of nothing else. Each change has
numbers of its own in it, so that switching one on does not alter the others.
"""

import dataclasses
import hashlib
import struct
from dataclasses import dataclass
from math import radians

import numpy as np

from data_pipeline import encoding, intensity, warp
from data_pipeline.errors import UserError
from data_pipeline.motion import Motion, affine

Key = tuple[int, int, int]  # seed, epoch, sample
_KEY = struct.Struct("<3q")
# Uniform numbers in [0, 1), in the order in which a sample's hash yields them: append only.
_NUMBERS = (
    *("flip", "flip_vertical", "flip_depth", "affine", "rotation", "tilt_y", "tilt_x"),
    *("shift_x", "shift_y", "shift_z", "shear_x", "shear_y", "zoom", "elastic", "elastic_seed"),
    *("gamma", "gamma_value", "contrast", "contrast_value", "noise", "noise_value", "noise_seed"),
    *("bias_field", "bias_value", "bias_seed"),
)
_WORDS = struct.Struct(f"<{len(_NUMBERS)}I")


@dataclass(frozen=True)
class Augmentation:
    """How far each random change may go; everything is off by default.

    Ranges are symmetric: `rotation=15` draws from -15 to 15 degrees. Those named `..._probability`
    tell how often a change happens at all, and the flips are probabilities themselves.
    """

    rotation: float = 0.0  # degrees, in the plane of a slice
    tilt: float = 0.0  # degrees, out of that plane; volumes only
    shift: float = 0.0  # fraction of each side
    shear: float = 0.0  # columns per row and rows per column
    zoom: float = 0.0  # fraction: 0.1 magnifies by 0.9 to 1.1
    affine_probability: float = 1.0  # of the five above, together
    flip: float = 0.0  # left and right
    flip_vertical: float = 0.0  # front and back
    flip_depth: float = 0.0  # top and bottom; volumes only
    elastic: float = 0.0  # standard deviation of a smooth bend, as a fraction of the longest side
    elastic_probability: float = 1.0
    gamma: float = 0.0  # exponent from exp(-gamma) to exp(gamma), over the channel's range
    gamma_probability: float = 1.0
    contrast: float = 0.0  # fraction by which distances to the mean grow or shrink
    contrast_probability: float = 1.0
    noise: float = 0.0  # largest standard deviation, as a fraction of the channel's range
    noise_probability: float = 1.0
    bias_field: float = 0.0  # fraction by which a smooth field brightens or darkens
    bias_field_probability: float = 1.0

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            is_probability = item.name.startswith("flip") or item.name.endswith("_probability")
            most = 1.0 if is_probability else _MOST.get(item.name, 1.0)
            if not 0 <= value <= most:
                raise UserError(
                    f"Expected augmentation {item.name} from 0 to {most:g}. Received: {value}."
                )

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in (*_SPATIAL, *_INTENSITY))


_MOST = {"rotation": 180.0, "tilt": 180.0, "zoom": 0.9, "gamma": 3.0, "elastic": 0.2}
_AFFINE = ("rotation", "tilt", "shift", "shear", "zoom")
_SPATIAL = (*_AFFINE, "flip", "flip_vertical", "flip_depth", "elastic")
_INTENSITY = ("gamma", "contrast", "noise", "bias_field")


def augment(
    image: np.ndarray, mask: np.ndarray, augmentation: Augmentation, rng_key: Key
) -> tuple[np.ndarray, np.ndarray]:
    """Change `(H, W, C)` or `(D, H, W, C)` voxels and their label mask, the last axis optional.

    Types are kept. Image voxels are interpolated, labels stay a set; what enters from outside is 0.
    """
    if not augmentation:
        return image, mask
    numbers = draw(rng_key)
    motion = move(augmentation, numbers, image.shape[:-1])
    if motion:
        image, mask = warp.image(image, motion), warp.labels(mask, motion)
    return _shade(image, augmentation, numbers), mask


def augment_record(
    record: np.ndarray, augmentation: Augmentation, rng_key: Key
) -> tuple[np.ndarray, np.ndarray]:
    """Change a `(..., C + 1)` record whose last channel is its label; part it into both.

    A uint8 record stays one; any other may come back as float32, which is warped faster than int16.
    """
    numbers = draw(rng_key)
    motion = move(augmentation, numbers, record.shape[:-1])
    voxels, label = warp.record(record, motion) if motion else encoding.parted(record)
    if voxels.dtype != np.uint8 and any(getattr(augmentation, name) for name in _INTENSITY):
        voxels = voxels.astype(np.float32, copy=False)
    return _shade(voxels, augmentation, numbers), label


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
    elastic = augmentation.elastic if _happens(augmentation, "elastic", numbers) else 0.0
    moves = any(getattr(augmentation, name) for name in _AFFINE)
    seed = int(numbers["elastic_seed"] * 2**32)
    if moves and numbers["affine"] < augmentation.affine_probability:
        return Motion(shape, flips, _affine(augmentation, numbers, shape, flips), elastic, seed)
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
        angles=[radians(_signed(numbers[name]) * most) for name, most in turns],
        shifts=[_signed(numbers[f"shift_{axis}"]) * a.shift for axis in "zyx"],
        shears=[_signed(numbers[f"shear_{axis}"]) * a.shear for axis in "yx"],
        zoom=1 + _signed(numbers["zoom"]) * a.zoom,
    )


def _shade(image: np.ndarray, a: Augmentation, numbers: dict[str, float]) -> np.ndarray:
    happening = [name for name in _INTENSITY if _happens(a, name, numbers)]
    if not happening:
        return image
    change = intensity.Change(
        gamma=np.exp(_signed(numbers["gamma_value"]) * a.gamma) if "gamma" in happening else 1.0,
        contrast=1 + _signed(numbers["contrast_value"]) * a.contrast * ("contrast" in happening),
        noise=numbers["noise_value"] * a.noise * ("noise" in happening),
        bias=numbers["bias_value"] * a.bias_field * ("bias_field" in happening),
        seeds=(int(numbers["noise_seed"] * 2**32), int(numbers["bias_seed"] * 2**32)),
    )
    return intensity.apply(image, change)


def _happens(augmentation: Augmentation, name: str, numbers: dict[str, float]) -> bool:
    often = getattr(augmentation, f"{name}_probability")
    return bool(getattr(augmentation, name)) and numbers[name] < often


def _signed(number: float) -> float:
    return 2 * number - 1
