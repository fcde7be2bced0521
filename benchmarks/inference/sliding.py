"""Sliding a network over a scan: overlapping windows, and the weighted mean of their answers.

Windows stand where MONAI's `sliding_window_inference` puts them: a fixed step, the last one moved
back to the rim; its Gaussian weights too, with the deviation of an eighth of a side. Arrays are
NumPy's, so every backend slides alike; what is held beside the answer is a weight for each voxel
of a window's depth.
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
    weights = weight_map(windows.sides, windows.blending)
    room = (batch_size, *windows.sides, scan.shape[-1])
    images = np.empty(room, scan.dtype)  # one for all batches
    blend: _Blend | None = None
    for batch in progress(batches, len(batches)) if progress else batches:
        for image, box in zip(images, batch, strict=False):
            image[...] = padded[box]
        answers = network(images[: len(batch)])
        blend = blend or _Blend(padded.shape[:-1], answers.shape[-1], weights)
        for box, answer in zip(batch, answers, strict=True):
            blend.add(box, answer)
    assert blend is not None  # a scan has at least one window
    return blend.mean()[inside]


class _Blend:
    """The weighted mean of windows that come from the first slice to the last.

    A slice is divided once no later window reaches it, so weights are held for one window's depth.
    """

    def __init__(self, sides: Sequence[int], classes: int, weights: np.ndarray):
        self._total = np.zeros((*sides, classes), np.float32)
        self._count = np.zeros((len(weights), *sides[1:]), np.float32)
        self._first = 0  # the slice that the count begins at
        self._weights = weights
        # Written out: to broadcast over a last axis this short takes NumPy three times as long.
        self._by_class = np.repeat(weights[..., None], classes, axis=-1)
        self._weighted = np.empty_like(self._by_class)

    def add(self, box: Box, answer: np.ndarray) -> None:
        """Add a window's answer."""
        self._divide(box[0].start)
        self._total[box] += np.multiply(answer, self._by_class, out=self._weighted)
        self._count[(slice(None), *box[1:])] += self._weights

    def mean(self) -> np.ndarray:
        """Return the mean of all windows, once there are no more."""
        self._divide(len(self._total))
        return self._total

    def _divide(self, stop: int) -> None:
        done = stop - self._first
        if not done:
            return
        for channel in range(self._total.shape[-1]):
            self._total[self._first : stop, ..., channel] /= self._count[:done]
        for row in range(len(self._count)):  # one by one: else NumPy copies what overlaps
            later = row + done
            self._count[row] = self._count[later] if later < len(self._count) else 0
        self._first = stop


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
