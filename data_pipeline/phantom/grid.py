"""The scanner's grid in millimetres, and smooth random fields that do not depend on its resolution.

Axes are (z, y, x): z to the crown, y to the face, x to the patient's left. Rows run from the face
to the back of the head, so that a slice shown as a picture looks the way radiologists hang it.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

# In-plane field of view, and the range of z that 0.6 x size slices of the same spacing cover.
FIELD_OF_VIEW = 212.0
BOTTOM, TOP = -47.0, -47.0 + 0.6 * FIELD_OF_VIEW
# The root mean square of a uniform cubic B-spline series with unit normal coefficients, per axis.
SPLINE_RMS = np.sqrt(151 / 315)
MARGIN = 2


@dataclass(frozen=True)
class Grid:
    """Voxel centres along each axis, in millimetres, and the distance between them."""

    z: np.ndarray
    y: np.ndarray
    x: np.ndarray
    spacing: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return len(self.z), len(self.y), len(self.x)

    def coverage(self, distance: np.ndarray, softness: float = 0.0) -> np.ndarray:
        """Return the part of each voxel inside a surface, from the signed distance to it."""
        return np.clip(0.5 - distance / max(self.spacing, softness), 0, 1, dtype=np.float32)

    def slabs(self, voxels: int) -> "list[Grid]":
        """Cut the grid into runs of slices of about this many voxels, to bound memory."""
        per_slab = max(1, voxels // (len(self.y) * len(self.x)))
        starts = range(0, len(self.z), per_slab)
        return [replace(self, z=self.z[start : start + per_slab]) for start in starts]


def grid(size: int) -> Grid:
    """Lay out an isotropic grid of `size` columns and rows and 0.6 times as many slices."""
    spacing = FIELD_OF_VIEW / size
    slices = round(0.6 * size)
    centres = ((np.arange(size) + 0.5) * spacing - FIELD_OF_VIEW / 2).astype(np.float32)
    z = (BOTTOM + TOP) / 2 + (np.arange(slices) - (slices - 1) / 2) * spacing
    return Grid(z.astype(np.float32), -centres - np.float32(4), centres, spacing)


def smooth_noise(rng: np.random.Generator, grid: Grid, knot: float) -> np.ndarray:
    """Draw a field of unit variance that varies over `knot` mm, whatever the resolution."""
    half = FIELD_OF_VIEW / 2 + 6
    starts = (BOTTOM - 2, -half, -half)
    extents = (TOP - BOTTOM + 4, 2 * half, 2 * half)
    counts = [int(np.ceil(extent / knot)) + 2 * MARGIN for extent in extents]
    field = rng.standard_normal(counts, dtype=np.float32)
    # The short axes first; sums of four products, which no BLAS library orders in its own way.
    for axis in (2, 1, 0):
        centres = (grid.z, grid.y, grid.x)[axis]
        field = _upsample(field, (centres - starts[axis]) / knot + MARGIN - 0.5, axis)
    return field / np.float32(SPLINE_RMS**3)


def noise_at(rng: np.random.Generator, points: np.ndarray, knot: float, reach: float) -> np.ndarray:
    """Draw such a field at scattered points (3, n) within `reach` mm of the origin."""
    count = int(np.ceil(2 * reach / knot)) + 2 * MARGIN
    field = rng.standard_normal((count,) * 3, dtype=np.float32)
    where = (points + reach) / knot + MARGIN - 0.5
    values = ndimage.map_coordinates(field, where, np.float32, order=3, prefilter=False)
    return values / np.float32(SPLINE_RMS**3)


def _upsample(field: np.ndarray, positions: np.ndarray, axis: int) -> np.ndarray:
    """Evaluate a cubic B-spline series along one axis."""
    first = np.floor(positions).astype(int) - 1
    shape = [-1 if dimension == axis else 1 for dimension in range(3)]
    total = np.zeros(1, np.float32)
    for tap in range(4):
        u = np.abs(positions - (first + tap))
        weights = np.where(u < 1, 2 / 3 - u**2 + u**3 / 2, np.maximum(2 - u, 0) ** 3 / 6)
        taps = np.take(field, first + tap, axis)
        total = total + taps * weights.astype(np.float32).reshape(shape)
    return total
