"""From a scan's own voxel grid to the grid that a model sees, and back.

Slices are padded to the model's aspect ratio and resized. Volumes are cut to the box of the brain;
they are resampled only where voxels of another size are asked for, and scored on their own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from data_pipeline.grid import background
from data_pipeline.grid.voxels import AS_IT_IS

Box = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Geometry:
    """Take `box` of a native `(D, H, W)` grid (zeros beyond its rim), then resize to `shape`."""

    native: tuple[int, ...]
    box: Box
    shape: tuple[int, ...]

    @property
    def resampled(self) -> bool:
        """Say whether a box of voxels becomes other voxels."""
        return _sides(self.box) != tuple(self.shape)

    def to_model(self, image: np.ndarray) -> np.ndarray:
        """Bring `(D, H, W, C)` voxels onto the model's grid."""
        return _resized(_taken(image, self.box), self.shape)

    def labels_to_model(self, labels: np.ndarray) -> np.ndarray:
        """Bring `(D, H, W)` labels onto the model's grid: the label that fills most of a voxel."""
        taken = _taken(labels[..., None], self.box)[..., 0]
        if taken.shape == self.shape:
            return taken
        values = np.unique(taken)
        winner = np.zeros(self.shape, np.uint8)
        best = np.full(self.shape, -1, np.float32)
        for value in values:
            share = _resized((taken == value).astype(np.float32)[..., None], self.shape)[..., 0]
            winner[share > best] = value
            np.maximum(best, share, out=best)
        return winner

    def to_native(self, probabilities: np.ndarray, outside: np.ndarray) -> np.ndarray:
        """Bring `(D, h, w, K)` probabilities back; what the model never saw becomes `outside`."""
        boxed = _resized(probabilities.astype(np.float32, copy=False), _sides(self.box))
        native = np.empty((*self.native, boxed.shape[-1]), np.float32)
        native[...] = outside
        inside, source = _overlap(self.native, self.box)
        native[inside] = boxed[source]
        return native

    def of_depth(self, depth: int) -> "Geometry":
        """Plan the same for another number of slices."""
        return Geometry(
            (depth, *self.native[1:]), ((0, depth), *self.box[1:]), (depth, *self.shape[1:])
        )


def unchanged(native: tuple[int, ...]) -> Geometry:
    """Plan nothing: the model's grid is the scan's own."""
    return Geometry(native, tuple((0, side) for side in native), native)


def of_slices(native: tuple[int, ...], size: tuple[int, ...]) -> Geometry:
    """Plan 2D preparation: pad a slice to the aspect ratio of `size`, centred, then resize."""
    depth, height, width = native
    scale = max(height / size[0], width / size[1])
    sides = (max(height, round(size[0] * scale)), max(width, round(size[1] * scale)))
    box = tuple(_centred(n, side) for n, side in zip((height, width), sides, strict=True))
    return Geometry(native, ((0, depth), *box), (depth, *size))


def of_volume(image: np.ndarray, size: tuple[int, ...]) -> Geometry:
    """Plan 3D preparation: the box of the brain, never smaller than a patch."""
    return of_brain(background.without(image), size)


def of_brain(
    occupied: np.ndarray, size: tuple[int, ...], ratio: Sequence[float] = AS_IT_IS
) -> Geometry:
    """Plan the same where the `(D, H, W)` voxels of the brain are known.

    `ratio` is that of the voxels' sides to those of the voxels that the model is to see.
    """
    box = []
    for axis, (side, times) in enumerate(zip(size, ratio, strict=True)):
        length = occupied.shape[axis]
        found = np.flatnonzero(np.moveaxis(occupied, axis, 0).reshape(length, -1).any(axis=1))
        start, stop = (int(found[0]), int(found[-1]) + 1) if found.size else (0, length)
        box.append(_widened(start, stop, math.ceil(side / times), length))
    shape = (
        max(side, round((stop - start) * times))
        for side, (start, stop), times in zip(size, box, ratio, strict=True)
    )
    return Geometry(occupied.shape, tuple(box), tuple(shape))


def _widened(start: int, stop: int, least: int, length: int) -> tuple[int, int]:
    """Widen to `least` voxels, inside `0..length` as far as that is possible."""
    side = max(least, stop - start)
    if side >= length:
        return _centred(length, side)
    start = min(max(0, start - (side - (stop - start)) // 2), length - side)
    return start, start + side


def _centred(length: int, side: int) -> tuple[int, int]:
    start = -((side - length) // 2)
    return start, start + side


def _sides(box: Box) -> tuple[int, ...]:
    return tuple(stop - start for start, stop in box)


def _overlap(native: tuple[int, ...], box: Box) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    pairs = [(max(0, lo), min(n, hi), lo) for n, (lo, hi) in zip(native, box, strict=True)]
    inside = tuple(slice(lo, hi) for lo, hi, _ in pairs)
    return inside, tuple(slice(lo - start, hi - start) for lo, hi, start in pairs)


def _taken(array: np.ndarray, box: Box) -> np.ndarray:
    inside, target = _overlap(array.shape[:3], box)
    if _sides(box) == tuple(s.stop - s.start for s in inside):
        return array[inside]
    taken = np.zeros((*_sides(box), *array.shape[3:]), array.dtype)
    taken[target] = array[inside]
    return taken


def _resized(array: np.ndarray, sides: tuple[int, ...]) -> np.ndarray:
    """Resize `(D, H, W, C)`: area means when shrinking, linear when growing.

    Slices that shrink or grow along both sides are resized at once, all else side by side, those
    that shrink first.
    """
    changes = [axis for axis, side in enumerate(sides) if array.shape[axis] != side]
    if changes == [1, 2] and (sides[1] < array.shape[1]) == (sides[2] < array.shape[2]):
        return _resized_slices(array, sides[1:])
    for axis in sorted(changes, key=lambda axis: sides[axis] / array.shape[axis]):
        array = _resized_along(array, axis, sides[axis])
    return array


def _resized_along(array: np.ndarray, axis: int, side: int) -> np.ndarray:
    if axis == 0:
        return _resized_along(array.swapaxes(0, 1), 1, side).swapaxes(0, 1)
    sides = (side, array.shape[2]) if axis == 1 else (array.shape[1], side)
    return _resized_slices(array, sides)


def _resized_slices(array: np.ndarray, sides: tuple[int, ...]) -> np.ndarray:
    shrinks = sides[0] < array.shape[1] or sides[1] < array.shape[2]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = np.empty((len(array), *sides, array.shape[3]), array.dtype)
    for source, target in zip(array, resized, strict=True):
        for channel in range(array.shape[3]):
            plane = np.ascontiguousarray(source[..., channel])
            target[..., channel] = cv2.resize(plane, sides[::-1], interpolation=method)
    return resized
