"""Voxels as whole numbers on disk: a slice's channels and its label lie together in one record.

8-bit sources under an 8-bit normalisation are kept exactly, as bytes. Everything else becomes int16
times one scale per channel: half of float32's room; against float16, which takes as much, it errs
less (a z-score within 20 by at most 3e-4, float16 by up to 8e-3), keeps zero exactly zero, and
NumPy makes float32 of it ten times as fast.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import gcd, prod

import cv2
import numpy as np
from numpy.typing import DTypeLike

Empty = Callable[..., np.ndarray]  # numpy.empty, or what lends memory that was used before

BYTE_SCALE = 1 / 255
LARGEST = 32767
FAINTEST = 1e-30
ROWS = 32  # of an image that are scaled as one line


def encode(image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, tuple[float, ...]]:
    """Join `(D, H, W, C)` voxels and labels to `(D, H, W, C + 1)` records, with a scale a channel.

    `uint8` voxels stand for `value / 255`.
    """
    channels = (image[..., channel] for channel in range(image.shape[3]))
    return encode_channels(channels, image.shape[3], label)


def encode_channels(
    channels: Iterable[np.ndarray], count: int, label: np.ndarray
) -> tuple[np.ndarray, tuple[float, ...]]:
    """Do the same with channels that come one by one."""
    records: np.ndarray = np.empty(0)
    scales: list[float] = []
    for place, channel in enumerate(channels):
        if not place:
            records = np.empty((*channel.shape, count + 1), _dtype(channel))
        scales.append(rounded(channel, records[..., place])[1])
    records[..., -1] = label
    return records, tuple(scales)


def rounded(channel: np.ndarray, into: np.ndarray | None = None) -> tuple[np.ndarray, float]:
    """Give a `(D, H, W)` channel in whole numbers, and their scale."""
    into = np.empty(channel.shape, _dtype(channel)) if into is None else into
    if channel.dtype == np.uint8:
        into[...] = channel
        return into, BYTE_SCALE
    scale = _scale(max(float(channel.max()), -float(channel.min())))
    for row, plane in zip(into, channel, strict=True):  # a slice at a time: little is held
        row[...] = np.rint(plane / np.float32(scale))
    return into, scale


def _dtype(channel: np.ndarray) -> type[np.uint8 | np.int16]:
    return np.uint8 if channel.dtype == np.uint8 else np.int16


def _scale(largest: float) -> float:
    """Spread the values over int16; next to nothing becomes 0, for float32 can't divide by it."""
    return largest / LARGEST if largest > FAINTEST else 1.0


def stacked(
    records: Sequence[np.ndarray], dtype: DTypeLike | None = None, empty: Empty = np.empty
) -> np.ndarray:
    """Join records to a batch; one alone, which may be a large volume, is not copied in vain."""
    first = records[0]
    if len(records) == 1 and dtype in (None, first.dtype):
        return first[None]
    batch = empty((len(records), *first.shape), dtype or first.dtype)
    return np.stack(records, out=batch, casting="unsafe")


def parted(records: np.ndarray, empty: Empty = np.empty) -> tuple[np.ndarray, np.ndarray]:
    """Part `(..., C + 1)` records into `(..., C)` voxels and their labels, both contiguous."""
    records = contiguous(records, empty)
    *outer, together = records.shape
    voxels = empty((*outer, together - 1), records.dtype)
    pixels, into = _pixels(records), _pixels(voxels)
    if together == 4:  # OpenCV's fastest way; NumPy's strides take five times as long
        unsigned = np.uint16 if records.dtype == np.int16 else records.dtype
        cv2.cvtColor(pixels.view(unsigned), cv2.COLOR_BGRA2BGR, into.view(unsigned))
    else:
        cv2.mixChannels([pixels], [into], [n for n in range(together - 1) for _ in range(2)])
    return voxels, labels(records, empty)


def labels(records: np.ndarray, empty: Empty = np.empty) -> np.ndarray:
    """Take the labels out of contiguous `(..., C + 1)` records."""
    found = empty(records.shape[:-1], records.dtype)
    cv2.extractChannel(_pixels(records), records.shape[-1] - 1, _pixels(found[..., None]))
    return found


def largest_labels(records: np.ndarray) -> np.ndarray:
    """Return the largest label of each of a batch of contiguous records."""
    if records.dtype == np.uint8 and records.shape[-1] == 4:
        words = records.view("<u4").reshape(len(records), -1)  # whose highest byte it is
        return words.max(axis=1) >> 24
    return records[..., -1].reshape(len(records), -1).max(axis=1)


def contiguous(array: np.ndarray, empty: Empty = np.empty) -> np.ndarray:
    """Return an array as it is, or if it is strided a copy."""
    if array.flags.c_contiguous:
        return array
    copied = empty(array.shape, array.dtype)
    np.copyto(copied, array)
    return copied


def _pixels(array: np.ndarray) -> np.ndarray:
    """See an array as the picture that OpenCV takes: two sides and channels."""
    return array.reshape(-1, *array.shape[-2:])


def decode(voxels: np.ndarray, scales: Sequence[float], image: np.ndarray) -> None:
    """Write the float32 values of contiguous `(..., C)` voxels into `image`."""
    *outer, width, channels = voxels.shape
    pixels = gcd(prod(outer), ROWS) * width  # long lines: NumPy pays for each that it begins
    flat = (-1, pixels * channels)
    factors = _factors(tuple(scales), pixels)
    np.multiply(voxels.reshape(flat), factors, image.reshape(flat), dtype=np.float32)


@lru_cache(maxsize=64)
def _factors(scales: tuple[float, ...], pixels: int) -> np.ndarray:
    factors = np.asarray(scales, np.float32)
    return np.tile(factors, pixels) if len(set(scales)) > 1 else factors[:1]
