"""Voxels as whole numbers on disk: a slice's channels and its label lie together in one record.

8-bit sources under an 8-bit normalisation are kept exactly, as bytes. Everything else becomes int16
times one scale per channel: half of float32's room; against float16, which takes as much, it errs
less (a z-score within 20 by at most 3e-4, float16 by up to 8e-3), keeps zero exactly zero, and
NumPy makes float32 of it ten times as fast.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

BYTE_SCALE = 1 / 255
LARGEST = 32767
FAINTEST = 1e-30


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


def stacked(records: Sequence[np.ndarray]) -> np.ndarray:
    """Join records to a batch; one alone, which may be a large volume, is not copied."""
    return np.stack(records) if len(records) > 1 else records[0][None]


def parted(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Part `(..., C + 1)` records into `(..., C)` voxels and their labels, both contiguous."""
    records = np.ascontiguousarray(records)
    pixels = records.reshape(-1, *records.shape[-2:])
    channels = pixels.shape[-1] - 1
    if channels == 3:  # OpenCV's fastest way; NumPy's strides take five times as long
        unsigned = pixels.view(np.uint16) if pixels.dtype == np.int16 else pixels
        voxels = cv2.cvtColor(unsigned, cv2.COLOR_BGRA2BGR).view(pixels.dtype)
    else:
        voxels = np.empty((*pixels.shape[:-1], channels), pixels.dtype)
        cv2.mixChannels([pixels], [voxels], np.arange(channels).repeat(2).tolist())
    return voxels.reshape(*records.shape[:-1], channels), labels(records)


def labels(records: np.ndarray) -> np.ndarray:
    """Take the labels out of contiguous `(..., C + 1)` records."""
    pixels = records.reshape(-1, *records.shape[-2:])
    return cv2.extractChannel(pixels, pixels.shape[-1] - 1).reshape(records.shape[:-1])


def decode(voxels: np.ndarray, scales: Sequence[float], image: np.ndarray) -> None:
    """Write the float32 values of contiguous `(..., C)` voxels into `image`."""
    flat = (-1, voxels.shape[-2] * len(scales))
    target = image.reshape(flat)
    np.copyto(target, voxels.reshape(flat))  # then in place: faster than a product of two types
    factors = np.asarray(scales, np.float32)
    target *= np.tile(factors, voxels.shape[-2]) if len(set(scales)) > 1 else factors[:1]
