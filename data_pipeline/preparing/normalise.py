"""What voxel values become before a model sees them: named, pure, on `(D, H, W, C)` volumes.

Every function gives float32 voxels, save that an 8-bit result stays uint8 and stands for value/255:
a quarter of the room, and nothing is lost by dividing later. Where nothing varies, the result is 0.
"""

import difflib
from collections.abc import Callable, Mapping

import numpy as np

from data_pipeline.errors import UserError
from data_pipeline.grid import background

PART = 1 << 16  # voxels in float64 at a time


def none(volume: np.ndarray) -> np.ndarray:
    """Keep the values: any type in, the same values in float32 out."""
    return volume.astype(np.float32)


def div255(volume: np.ndarray) -> np.ndarray:
    """Divide by 255: uint8 in, uint8 out that stands for [0, 1]."""
    if volume.dtype != np.uint8:
        raise UserError(
            f"Expected 8-bit voxels for the normalisation 'div255'. Received: {volume.dtype}. "
            "Choose 'zscore_brain' or 'minmax_slice'."
        )
    return volume


def minmax_slice(volume: np.ndarray) -> np.ndarray:
    """Stretch every slice and channel from its least to its greatest value: [0, 1] out."""
    values = volume.astype(np.float32)
    low = values.min((1, 2), keepdims=True)
    span = values.max((1, 2), keepdims=True) - low
    values -= low  # 0 where nothing varies
    return np.divide(values, span, out=values, where=span > 0)


def zscore_brain(volume: np.ndarray) -> np.ndarray:
    """Give each channel's brain mean 0 and deviation 1, over the patient; the background is 0."""
    channels = [volume[..., place] for place in range(volume.shape[3])]
    empty = [background.value(values) for values in channels]
    moments = [_moments(v[v != e]) for v, e in zip(channels, empty, strict=True)]
    result = np.zeros(volume.shape, np.float32)  # after what the moments need has been let go
    for place, (mean, deviation) in enumerate(moments):
        if deviation:
            for target, source in zip(result[..., place], channels[place], strict=True):
                mask = source != empty[place]
                target[mask] = (source[mask].astype(np.float64) - mean) / deviation
    return result


def _moments(values: np.ndarray) -> tuple[np.float64, np.float64]:
    """Give mean and deviation, to the bit as `numpy.mean` and `std` of float64, in little room."""
    if not values.size or values.max() == values.min():
        return np.float64(0), np.float64(0)
    mean = _sum(values, lambda part: part) / len(values)
    squares = _sum(values, lambda part: np.square(part - mean))
    return mean, np.sqrt(squares / len(values))


def _sum(values: np.ndarray, of: Callable[[np.ndarray], np.ndarray]) -> np.float64:
    """Add up in pairs as NumPy does, which divides at multiples of 8."""
    if len(values) <= PART:
        return of(values.astype(np.float64)).sum()
    half = len(values) // 2
    half -= half % 8
    return _sum(values[:half], of) + _sum(values[half:], of)


def gaussian_clahe(volume: np.ndarray) -> np.ndarray:
    """Blur (3x3, sigma 1.5) and equalise (clip 2, 8x8 tiles) each slice, as Mod-R2AU-Net does.

    Three channels are a picture in colours, of which the lightness alone is equalised; any other
    number of channels is equalised one by one. uint8 out that stands for [0, 1]; voxels of other
    types are stretched to 8 bits slice by slice.
    """
    import cv2

    narrow = volume if volume.dtype == np.uint8 else np.rint(minmax_slice(volume) * 255)
    equaliser = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8))
    result = np.empty(volume.shape, np.uint8)
    for index, picture in enumerate(narrow.astype(np.uint8)):
        blurred = cv2.GaussianBlur(picture, (3, 3), 1.5).reshape(picture.shape)
        if blurred.shape[-1] == 3:
            blurred = cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB)
            blurred[..., 0] = equaliser.apply(np.ascontiguousarray(blurred[..., 0]))
            result[index] = cv2.cvtColor(blurred, cv2.COLOR_LAB2RGB)
            continue
        for channel in range(volume.shape[3]):
            plane = np.ascontiguousarray(blurred[..., channel])
            result[index, ..., channel] = equaliser.apply(plane)
    return result


NORMALISATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    function.__name__: function
    for function in (none, div255, minmax_slice, zscore_brain, gaussian_clahe)
}


TOGETHER = ("gaussian_clahe",)  # for these a channel's result depends on the others


def normalise(volume: np.ndarray, name: str) -> np.ndarray:
    """Apply the normalisation of this name to a `(D, H, W, C)` volume."""
    if name not in NORMALISATIONS:
        close = difflib.get_close_matches(name, NORMALISATIONS, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        listed = ", ".join(NORMALISATIONS)
        raise UserError(f"Expected a normalisation of {listed}. Received: {name!r}.{hint}")
    return NORMALISATIONS[name](volume)


def count_flat(volume: np.ndarray, name: str) -> int:
    """Count the units (channels; else channels of slices) that nothing varies in."""
    if name == "zscore_brain":
        channels = (volume[..., c] for c in range(volume.shape[3]))
        brains = (channel[channel != background.value(channel)] for channel in channels)
        return sum(np.unique(brain).size < 2 for brain in brains)
    return int((volume.min((1, 2)) == volume.max((1, 2))).sum())
