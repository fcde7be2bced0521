"""One resampling for all spatial changes of a sample, of its image and of its labels alike.

Slices go through OpenCV. So do volumes, slice by slice, as long as they are not tilted or bent:
then rows and columns of every slice move alike, which is ten times as fast as a full 3D warp.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, sin

import cv2
import numpy as np
from scipy import ndimage

from data_pipeline.errors import UserError

KNOTS = 5  # of an elastic deformation, along the longest side
OPENCV_SIDE = 32766  # the longest picture that cv2.remap takes
OUTSIDE = np.float32(-9)


@dataclass(frozen=True)
class Motion:
    """Flips alone, or an affine map from output to input indices (flips in it) and a bend."""

    flips: tuple[bool, ...]
    affine: np.ndarray | None  # (rank, rank + 1), in the order of the axes
    elastic: float = 0.0  # standard deviation of the bend at its knots, over the longest side
    seed: int = 0

    @property
    def planar(self) -> bool:
        """Whether rows and columns mix with each other only."""
        a = self.affine
        tilted = a is not None and len(a) == 3 and (a[0, 1:3].any() or a[1:, 0].any())
        return not tilted and not self.elastic


def affine(
    shape: Sequence[int],
    flips: Sequence[bool],
    angles: Sequence[float] = (0, 0, 0),
    shifts: Sequence[float] = (0, 0, 0),
    shears: Sequence[float] = (0, 0),
    zoom: float = 1.0,
) -> np.ndarray:
    """Compose the map from output to input indices about the centre of the array.

    `angles` (radians: in the plane, about the rows, about the columns), `shifts` (fractions of the
    sides of depth, rows, columns) and `shears` (of rows by columns, of columns by rows).
    """
    # In plain numbers: for so small a matrix NumPy takes ten times as long.
    c, s = cos(angles[0]) / zoom, sin(angles[0]) / zoom
    linear = [[c + s * shears[1], c * shears[0] + s], [c * shears[1] - s, c - s * shears[0]]]
    if len(shape) == 3:
        flat = [[1 / zoom, 0, 0], [0, *linear[0]], [0, *linear[1]]]
        linear = (_tilts(*angles[1:]) @ flat).tolist() if any(angles[1:]) else flat
    linear = [[-w if f else w for w, f in zip(row, flips, strict=True)] for row in linear]
    centre = [(side - 1) / 2 for side in shape]
    rows = []
    for row, side, middle, shift in zip(linear, shape, centre, shifts[-len(shape) :], strict=True):
        turned = sum(w * other for w, other in zip(row, centre, strict=True))
        rows.append([*row, middle - turned - shift * side])
    return np.array(rows)


def _tilts(about_rows: float, about_columns: float) -> np.ndarray:
    c, s, d, t = cos(about_rows), sin(about_rows), cos(about_columns), sin(about_columns)
    rows = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return rows @ np.array([[d, t, 0], [-t, d, 0], [0, 0, 1]])


def image(voxels: np.ndarray, motion: Motion) -> np.ndarray:
    """Move `(H, W, C)` or `(D, H, W, C)` voxels, interpolating linearly."""
    if motion.affine is None:
        return _flip(voxels, motion.flips)
    return _resample(voxels, motion, linear=True)


def labels(mask: np.ndarray, motion: Motion) -> np.ndarray:
    """Move a mask to a mask: labels are taken from the nearest voxel, never mixed."""
    if motion.affine is None:
        return _flip(mask, motion.flips)
    narrow = _narrow(mask).reshape(*mask.shape[: len(motion.flips)], -1)
    return _resample(narrow, motion, linear=False).reshape(mask.shape).astype(mask.dtype)


def joined(record: np.ndarray, motion: Motion) -> np.ndarray:
    """Move a slice whose last channel is its label, in one pass where the label is 0 or 1.

    Interpolated linearly and rounded, a mask of 0 and 1 stays one: it is cut at one half.
    """
    voxels = record if record.dtype == np.uint8 else record.astype(np.float32)
    if motion.affine is None:
        return _flip(voxels, motion.flips)
    label = cv2.extractChannel(voxels, voxels.shape[-1] - 1)
    warped = _resample(voxels, motion, linear=True)
    if cv2.minMaxLoc(label)[1] > 1:
        nearest = _resample(label[..., None], motion, linear=False)[..., 0]
    elif warped.dtype == np.uint8:
        return warped
    else:
        nearest = np.rint(cv2.extractChannel(warped, warped.shape[-1] - 1))
    cv2.insertChannel(nearest, warped, warped.shape[-1] - 1)
    return warped


def _flip(array: np.ndarray, flips: Sequence[bool]) -> np.ndarray:
    axes = tuple(axis for axis, flipped in enumerate(flips) if flipped)
    return np.ascontiguousarray(np.flip(array, axes))


def _narrow(mask: np.ndarray) -> np.ndarray:
    if mask.dtype in (np.uint8, np.bool_):
        return mask.view(np.uint8)
    if mask.min(initial=0) < 0 or mask.max(initial=0) > 255:
        raise UserError(
            f"Expected label values from 0 to 255. Received: {mask.min()} to {mask.max()}."
        )
    return mask.astype(np.uint8)


def _resample(voxels: np.ndarray, motion: Motion, linear: bool) -> np.ndarray:
    if len(motion.flips) == 2:
        return _slice(voxels, motion, linear)
    if motion.planar:
        return _planar(voxels, motion, linear)
    return _volume(voxels, motion, linear)


def _slice(voxels: np.ndarray, motion: Motion, linear: bool) -> np.ndarray:
    mode = cv2.INTER_LINEAR if linear else cv2.INTER_NEAREST
    if motion.affine is not None and not motion.elastic:
        return _warp(voxels, motion.affine, mode)
    rows, columns = _coordinates(motion, voxels.shape[:2])
    warped = cv2.remap(voxels, columns, rows, mode, borderMode=cv2.BORDER_CONSTANT)
    return warped.reshape(voxels.shape)


def _warp(voxels: np.ndarray, affine: np.ndarray, mode: int) -> np.ndarray:
    # OpenCV counts x before y.
    matrix = affine[::-1][:, [1, 0, 2]]
    height, width = voxels.shape[:2]
    warped = cv2.warpAffine(voxels, matrix, (width, height), flags=mode | cv2.WARP_INVERSE_MAP)
    return warped.reshape(voxels.shape)


def _planar(voxels: np.ndarray, motion: Motion, linear: bool) -> np.ndarray:
    assert motion.affine is not None
    mode = cv2.INTER_LINEAR if linear else cv2.INTER_NEAREST
    depth = len(voxels)
    in_plane = motion.affine[1:, 1:]
    heights = motion.affine[0, 0] * np.arange(depth) + motion.affine[0, 3]
    below = np.floor(heights + (0 if linear else 0.5)).astype(int)
    wanted = {z for z in (*below, *(below + linear)) if 0 <= z < depth}
    moved = {z: _warp(voxels[z], in_plane, mode) for z in wanted}
    empty = np.zeros(voxels.shape[1:], voxels.dtype)
    result = np.empty_like(voxels)
    for z, (low, height) in enumerate(zip(below, heights, strict=True)):
        first = moved.get(low, empty)
        part = height - low
        if linear and part > 1e-6:
            cv2.addWeighted(first, 1 - part, moved.get(low + 1, empty), part, 0, result[z])
        else:
            result[z] = first
    return result


def _volume(voxels: np.ndarray, motion: Motion, linear: bool) -> np.ndarray:
    depth, height, width, channels = voxels.shape
    z, y, x = _coordinates(motion, voxels.shape[:3])
    if depth * (height + 1) > OPENCV_SIDE:
        return _large_volume(voxels, [z, y, x], linear)
    # The slices one below the other in one picture, an empty row after each to part them.
    atlas = np.pad(voxels, ((0, 0), (0, 1), (0, 0), (0, 0))).reshape(-1, width, channels)
    mode = cv2.INTER_LINEAR if linear else cv2.INTER_NEAREST
    below = np.floor(z if linear else z + np.float32(0.5))
    y[(y <= -1) | (y >= height)] = OUTSIDE

    def layer(level: np.ndarray) -> np.ndarray:
        rows = y + level * (height + 1)
        rows[(level < 0) | (level >= depth) | (y == OUTSIDE)] = OUTSIDE
        maps = x.reshape(-1, width), rows.reshape(-1, width)
        moved = cv2.remap(atlas, *maps, mode, borderMode=cv2.BORDER_CONSTANT)
        return moved.reshape(voxels.shape)

    if not linear:
        return layer(below)
    part = (z - below)[..., None]
    moved = layer(below) * (1 - part) + layer(below + 1) * part
    return (np.rint(moved) if voxels.dtype.kind in "iu" else moved).astype(voxels.dtype)


def _large_volume(voxels: np.ndarray, where: list, linear: bool) -> np.ndarray:
    result = np.empty_like(voxels)
    for channel in range(voxels.shape[3]):
        source = voxels[..., channel].astype(np.float32)
        moved = ndimage.map_coordinates(source, where, order=int(linear), mode="constant")
        result[..., channel] = np.rint(moved) if voxels.dtype.kind in "iu" else moved
    return result


def _coordinates(motion: Motion, shape: Sequence[int]) -> list[np.ndarray]:
    """Return the input index of each output voxel, axis by axis."""
    rank = len(shape)
    grid = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij", sparse=True)
    assert motion.affine is not None
    rows = motion.affine.astype(np.float32)
    where = [sum((row[a] * grid[a] for a in range(rank)), start=row[rank]) for row in rows]
    if motion.elastic:
        where = [axis + bend for axis, bend in zip(where, _bends(motion, shape), strict=True)]
    return [np.ascontiguousarray(axis, np.float32) for axis in where]


def _bends(motion: Motion, shape: Sequence[int]) -> list[np.ndarray]:
    """Draw a smooth displacement for each axis: white noise on a coarse grid, splined up."""
    rng = np.random.Generator(np.random.Philox(key=motion.seed))
    knots = [max(2, round(KNOTS * side / max(shape))) for side in shape]
    bends = []
    for _ in shape:
        bend = rng.standard_normal(knots, np.float32)
        for axis, side in enumerate(shape):
            bend = _stretch(bend, side, axis)
        bends.append(bend * np.float32(motion.elastic * max(shape)))
    return bends


def _stretch(field: np.ndarray, side: int, axis: int) -> np.ndarray:
    """Interpolate along one axis with a cubic that is flat at the ends."""
    knots = field.shape[axis]
    place = np.linspace(0, knots - 1, side, dtype=np.float32)
    first = np.minimum(place.astype(int), knots - 2)
    part = place - first
    part = part * part * (3 - 2 * part)
    spread = [1] * field.ndim
    spread[axis] = side
    part = part.reshape(spread)
    return np.take(field, first, axis) * (1 - part) + np.take(field, first + 1, axis) * part
