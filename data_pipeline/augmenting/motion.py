"""Where the voxels of a sample move: flips, one affine map and a smooth bend, composed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import cos, sin

import numpy as np
from numpy.typing import ArrayLike

KNOTS = 5  # of an elastic deformation, along the longest side


@dataclass(frozen=True)
class Motion:
    """Flips alone, or an affine map from output to input indices (flips in it) and a bend."""

    shape: tuple[int, ...]
    flips: tuple[bool, ...]
    affine: np.ndarray | None  # (rank, rank + 1), in the order of the axes
    elastic: float = 0.0  # standard deviation of the bend at its knots, over the longest side
    seed: int = 0
    repeat: bool = False  # whether the edge goes on outside; else there is background

    @property
    def planar(self) -> bool:
        """Whether rows and columns mix with each other only."""
        a = self.affine
        tilted = a is not None and len(a) == 3 and (a[0, 1:3].any() or a[1:, 0].any())
        return not tilted and not self.elastic

    @cached_property
    def coordinates(self) -> list[np.ndarray]:
        """The input index of each output voxel, axis by axis; image and labels share them."""
        axes = [np.arange(side, dtype=np.float32) for side in self.shape]
        grid = np.meshgrid(*axes, indexing="ij", sparse=True)
        assert self.affine is not None
        rows = self.affine.astype(np.float32)
        where = [sum((w * g for w, g in zip(row, grid, strict=False)), row[-1]) for row in rows]
        if self.elastic:
            bends = _bends(self.seed, self.shape, self.elastic * max(self.shape))
            where = [axis + bend for axis, bend in zip(where, bends, strict=True)]
        return [np.ascontiguousarray(axis, np.float32) for axis in where]


def affine(
    shape: Sequence[int],
    flips: ArrayLike,
    angles: Sequence[ArrayLike] = (0, 0, 0),
    shifts: Sequence[ArrayLike] = (0, 0, 0),
    shears: Sequence[ArrayLike] = (0, 0),
    zoom: ArrayLike = 1.0,
) -> np.ndarray:
    """Compose the map from output to input indices about the centre of the array.

    `angles` (radians: in the plane, about the rows, about the columns), `shifts` (fractions of the
    sides of depth, rows, columns) and `shears` (of rows by columns, of columns by rows). Each may
    be an array, with one number a sample; then so are the maps, and `flips` are (samples, axes).
    """
    c, s = (part / zoom for part in _cos_sin(angles[0]))
    linear = [[c + s * shears[1], c * shears[0] + s], [c * shears[1] - s, c - s * shears[0]]]
    if len(shape) == 3:
        linear = [[1 / np.asarray(zoom), 0, 0], [0, *linear[0]], [0, *linear[1]]]
        if any(np.any(angle) for angle in angles[1:]):
            turned = _tilts(*angles[1:]) @ _matrices(linear)
            linear = [[turned[..., row, column] for column in range(3)] for row in range(3)]
    moves = [
        -np.asarray(shift) * side for shift, side in zip(shifts[-len(shape) :], shape, strict=True)
    ]
    return _about_centre(shape, flips, linear, moves)


def keras_affine(
    shape: Sequence[int],
    flips: ArrayLike,
    angle: ArrayLike = 0,
    shear: ArrayLike = 0,
    shifts: Sequence[ArrayLike] = (0, 0),
    zooms: Sequence[ArrayLike] = (1, 1),
) -> np.ndarray:
    """Compose the map of Keras' ImageDataGenerator: rotation x shift x shear x zoom, in the plane.

    `angle` and `shear` in radians, `shifts` as fractions of the sides and `zooms` by which
    distances in the input are multiplied, both for rows and columns; arrays as in `affine`.
    """
    (down, right), (tall, wide) = shifts, zooms
    height, width = shape[-2:]
    # Keras shears by (1, -sin; 0, cos), so that its columns turn by the sum of both angles.
    (c, s), (cos_both, sin_both) = _cos_sin(angle), _cos_sin(np.add(angle, shear))
    linear = [[cos_both * tall, s * wide], [-sin_both * tall, c * wide]]
    down, right = np.multiply(down, height), np.multiply(right, width)
    moves = [c * down + s * right, c * right - s * down]
    if len(shape) == 3:
        linear = [[1, 0, 0], [0, *linear[0]], [0, *linear[1]]]
        moves = [0, *moves]
    return _about_centre(shape, flips, linear, moves)


def _about_centre(
    shape: Sequence[int],
    flips: ArrayLike,
    linear: Sequence[Sequence[ArrayLike]],
    moves: Sequence[ArrayLike],
) -> np.ndarray:
    centre = [(side - 1) / 2 for side in shape]
    signs = np.moveaxis(np.where(flips, -1.0, 1.0), -1, 0)
    rows = []
    for row, middle, move in zip(linear, centre, moves, strict=True):
        weights = [sign * weight for sign, weight in zip(signs, row, strict=True)]
        turned = sum(w * other for w, other in zip(weights, centre, strict=True))
        rows.append([*weights, middle - turned + move])
    return _matrices(rows)


def _cos_sin(angle: ArrayLike) -> np.ndarray:
    """Give cosine and sine as the C library has them: NumPy's own differ in a last digit."""
    angles = np.asarray(angle, float)
    both = [[cos(one), sin(one)] for one in angles.ravel().tolist()]
    return np.array(both).T.reshape(2, *angles.shape)


def _matrices(rows: Sequence[Sequence[ArrayLike]]) -> np.ndarray:
    """Join rows of numbers, or of arrays with one a sample, to a matrix, or to one a sample."""
    samples = np.broadcast_shapes(*(np.shape(number) for row in rows for number in row))
    joined = np.empty((*samples, len(rows), len(rows[0])))
    for place, row in enumerate(rows):
        for column, number in enumerate(row):
            joined[..., place, column] = number
    return joined


def _tilts(about_rows: ArrayLike, about_columns: ArrayLike) -> np.ndarray:
    (c, s), (d, t) = _cos_sin(about_rows), _cos_sin(about_columns)
    rows = _matrices([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return rows @ _matrices([[d, t, 0], [-t, d, 0], [0, 0, 1]])


def _bends(seed: int, shape: Sequence[int], deviation: float) -> list[np.ndarray]:
    """Draw a smooth displacement for each axis: white noise on a coarse grid, splined up."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    knots = [max(2, round(KNOTS * side / max(shape))) for side in shape]
    bends = rng.standard_normal((len(shape), *knots), np.float32) * np.float32(deviation)
    for axis, side in enumerate(shape, start=1):
        bends = _stretch(bends, side, axis)
    return list(bends)


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
