"""From a scan's own voxel grid to the grid that a model sees, and back.

Slices are padded to the model's aspect ratio and resized; volumes are cut to the box of the brain
and never resized, because millimetres matter to their scores.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from data_pipeline.grid import background

Box = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Geometry:
    """Take `box` of a native `(D, H, W)` grid (zeros beyond its rim), then resize to `shape`."""

    native: tuple[int, ...]
    box: Box
    shape: tuple[int, ...]

    def to_model(self, image: np.ndarray) -> np.ndarray:
        """Bring `(D, H, W, C)` voxels onto the model's grid."""
        return _resized(_taken(image, self.box), self.shape[1:])

    def labels_to_model(self, labels: np.ndarray) -> np.ndarray:
        """Bring `(D, H, W)` labels onto the model's grid: the label that fills most of a voxel."""
        taken = _taken(labels[..., None], self.box)[..., 0]
        if taken.shape[1:] == self.shape[1:]:
            return taken
        values = np.unique(taken)
        winner = np.zeros(self.shape, np.uint8)
        best = np.full(self.shape, -1, np.float32)
        for value in values:
            share = _resized((taken == value).astype(np.float32)[..., None], self.shape[1:])[..., 0]
            winner[share > best] = value
            np.maximum(best, share, out=best)
        return winner

    def to_native(self, probabilities: np.ndarray, outside: np.ndarray) -> np.ndarray:
        """Bring `(D, h, w, K)` probabilities back; what the model never saw becomes `outside`."""
        boxed = _resized(probabilities.astype(np.float32, copy=False), _sides(self.box)[1:])
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


def of_brain(occupied: np.ndarray, size: tuple[int, ...]) -> Geometry:
    """Plan the same where the `(D, H, W)` voxels of the brain are known."""
    box = []
    for axis, side in enumerate(size):
        length = occupied.shape[axis]
        found = np.flatnonzero(np.moveaxis(occupied, axis, 0).reshape(length, -1).any(axis=1))
        start, stop = (int(found[0]), int(found[-1]) + 1) if found.size else (0, length)
        box.append(_widened(start, stop, side, length))
    return Geometry(occupied.shape, tuple(box), _sides(tuple(box)))


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
    """Resize each slice of `(D, H, W, C)`: area means when shrinking, bilinear when growing."""
    if array.shape[1:3] == tuple(sides):
        return array
    shrinks = sides[0] < array.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = np.empty((len(array), *sides, array.shape[3]), array.dtype)
    for source, target in zip(array, resized, strict=True):
        for channel in range(array.shape[3]):
            plane = np.ascontiguousarray(source[..., channel])
            target[..., channel] = cv2.resize(plane, sides[::-1], interpolation=method)
    return resized
