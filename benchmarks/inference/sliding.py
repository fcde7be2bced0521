"""Sliding a network over a scan: overlapping windows, and the weighted mean of their answers.

Windows stand where MONAI's `sliding_window_inference` puts them: a fixed step, the last one moved
back to the rim; its Gaussian weights too, with the deviation of an eighth of a side. Arrays are
NumPy's, so every backend slides alike; what is held beside the answer is one weight a voxel.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from data_pipeline.scans.predicted_scan import Voxels

Network = Callable[[np.ndarray], np.ndarray]  # (N, *window, C) -> (N, *window, K)
Progress = Callable[[Iterable[Any], int], Iterable[Any]]
Box = tuple[slice, ...]

DEVIATION = 0.125  # of the Gaussian, as a share of a window's side
LEAST = 1e-3  # weight of a corner, where the Gaussian itself leaves nothing


@dataclass(frozen=True)
class Windows:
    """How a scan is covered, `overlap` of a side shared by neighbours, and how answers blend."""

    sides: Sequence[int]
    overlap: float = 0.5
    blending: str = "gaussian"


def slide(
    network: Network,
    scan: "np.ndarray | Voxels",
    windows: Windows,
    *,
    batch_size: int = 1,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return the network's answer `(*sides, K)` to a scan `(*sides, C)` of any size."""
    padded, inside = _padded(scan, windows.sides)
    found = boxes(padded.shape[:-1], windows.sides, windows.overlap)
    batches = [found[start : start + batch_size] for start in range(0, len(found), batch_size)]
    images = np.empty((batch_size, *windows.sides, scan.shape[-1]), scan.dtype)  # for all batches
    mean = _Mean(padded.shape[:-1], weight_map(windows.sides, windows.blending))
    for batch in progress(batches, len(batches)) if progress else batches:
        for image, box in zip(images, batch, strict=False):
            image[...] = padded[box]
        mean.add(batch, network(images[: len(batch)]))
    return mean.result()[inside]


class _Mean:
    """The weighted mean of answers that overlap; their channels are known with the first."""

    def __init__(self, sides: tuple[int, ...], weights: np.ndarray):
        self._weights = weights
        self._count = np.zeros(sides, np.float32)
        self._total = self._weighted = self._by_class = np.zeros(0, np.float32)

    def add(self, batch: Sequence[Box], answers: np.ndarray) -> None:
        """Add the answers to a batch of windows, each where its box lies."""
        if not self._total.size:
            self._make(answers)
        for box, answer in zip(batch, answers, strict=True):
            self._total[box] += np.multiply(answer, self._by_class, out=self._weighted)
            self._count[box] += self._weights

    def _make(self, answers: np.ndarray) -> None:
        channels = answers.shape[-1]
        self._total = np.zeros((*self._count.shape, channels), np.float32)
        self._weighted = np.empty(answers.shape[1:], np.float32)
        # Written out: to broadcast over a last axis this short takes NumPy three times as long.
        self._by_class = np.repeat(self._weights[..., None], channels, axis=-1)

    def result(self) -> np.ndarray:
        """Return the mean of all that was added; it is made in place, so ask once."""
        for channel in range(self._total.shape[-1]):
            self._total[..., channel] /= self._count
        return self._total


def mirrored(network: Network, axes: Sequence[int]) -> Network:
    """Average a network's answers over every combination of flips along the sample's `axes`."""
    flips = list(chain.from_iterable(combinations(axes, n) for n in range(len(axes) + 1)))

    def averaged(batch: np.ndarray) -> np.ndarray:
        total: np.ndarray | float = 0.0
        for flip in flips:
            places = tuple(axis + 1 for axis in flip)  # behind the batch
            turned = np.ascontiguousarray(np.flip(batch, places))
            total = total + np.flip(network(turned), places)
        return np.asarray(total / len(flips), np.float32)

    return averaged


def boxes(sides: Sequence[int], window: Sequence[int], overlap: float) -> list[Box]:
    """List the windows that cover a scan which is nowhere smaller than one."""
    starts = [_starts(*pair, overlap) for pair in zip(sides, window, strict=True)]
    return [
        tuple(slice(at, at + size) for at, size in zip(corner, window, strict=True))
        for corner in product(*starts)
    ]


def _starts(side: int, size: int, overlap: float) -> list[int]:
    step = max(1, int(size * (1 - overlap)))
    last = side - size
    return [*range(0, last, step), last]


def weight_map(window: Sequence[int], blending: str) -> np.ndarray:
    """Return how much each voxel of a window counts: alike, or more towards the middle."""
    weights = np.ones(tuple(window), np.float32)
    if blending == "gaussian":
        for axis, size in enumerate(window):
            distance = np.arange(size, dtype=np.float32) - (size - 1) / 2
            bell = np.exp(-0.5 * (distance / (DEVIATION * size)) ** 2)
            weights *= bell.reshape([-1 if place == axis else 1 for place in range(len(window))])
        np.maximum(weights, LEAST, out=weights)
    return weights


def _padded(
    scan: "np.ndarray | Voxels", window: Sequence[int]
) -> tuple["np.ndarray | Voxels", Box]:
    """Surround a scan that is smaller than a window with zeros; say where it lies then."""
    lacking = [max(0, size - side) for side, size in zip(scan.shape[:-1], window, strict=True)]
    before = [missing // 2 for missing in lacking]
    inside = tuple(
        slice(start, start + side) for start, side in zip(before, scan.shape[:-1], strict=True)
    )
    if not any(lacking):
        return scan, inside
    rims = [(start, missing - start) for start, missing in zip(before, lacking, strict=True)]
    return np.pad(np.asarray(scan), [*rims, (0, 0)]), inside
