"""Surface distances in millimetres: HD95, HD, ASSD and the normalised surface Dice.

A surface voxel is a foreground voxel with a background neighbour across one of its faces; what
lies outside the field of view counts as background. Distances are exact, by whichever way is
sooner: a Euclidean distance transform of the box around both masks, or, where the surfaces fill
little of that box as those of a tumour do, a k-d tree that each surface voxel asks for its nearest
neighbour on the other surface, three to ten times sooner.

HD95 is the larger of the two directed 95th percentiles, as in MONAI. medpy takes one percentile of
both directions together and DeepMind's surface-distance weights each voxel by its area: other
numbers, not to be compared with these. ASSD is the mean over both surfaces together, as in MONAI
and medpy 0.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

# A distance that equals the tolerance counts as within it, whatever the spacing's rounding.
_ROUNDING = 1 + 1e-9

# A k-d tree takes 1 to 5 microseconds a query, a distance transform 0.15 to 0.3 a voxel.
_VOXELS_A_QUERY = 16


@dataclass(frozen=True)
class SurfaceDistances:
    """The distance in mm of each surface voxel of either mask to the other mask's surface."""

    from_reference: np.ndarray
    from_prediction: np.ndarray

    def percentile(self, percent: float) -> float:
        """Return the larger of the two directed percentiles: HD95 at 95, HD at 100."""
        directed = (self.from_reference, self.from_prediction)
        return float(max(np.percentile(distances, percent) for distances in directed))

    @property
    def assd(self) -> float:
        """Return the average symmetric surface distance: over the voxels of both surfaces."""
        return float(self._both.mean())

    def nsd(self, tolerance: float) -> float:
        """Return the share of both surfaces that lies within `tolerance` mm of the other."""
        return float(np.mean(self._both <= tolerance * _ROUNDING))

    @property
    def _both(self) -> np.ndarray:
        return np.concatenate([self.from_reference, self.from_prediction])


def distances(
    reference: np.ndarray, prediction: np.ndarray, spacing: Sequence[float]
) -> SurfaceDistances:
    """Measure two non-empty boolean masks of any rank against each other, both ways."""
    reference, prediction = crop_to_union(reference, prediction)
    reference_surface, prediction_surface = surface(reference), surface(prediction)
    return SurfaceDistances(
        from_reference=_directed(reference_surface, prediction_surface, spacing),
        from_prediction=_directed(prediction_surface, reference_surface, spacing),
    )


def surface(mask: np.ndarray) -> np.ndarray:
    """Mark the foreground voxels that have a background neighbour across a face."""
    padded = np.pad(mask, 1)
    inside = mask.copy()
    for axis, length in enumerate(mask.shape):
        window = [slice(1, -1)] * mask.ndim
        for start in (0, 2):
            window[axis] = slice(start, start + length)
            inside &= padded[tuple(window)]
    return mask & ~inside


def crop_to_union(reference: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut both masks to the box that holds the foreground of either; one voxel if there is none."""
    for axis in range(reference.ndim):
        occupied = np.flatnonzero(_profile(reference, axis) | _profile(prediction, axis))
        start, stop = (occupied[0], occupied[-1] + 1) if occupied.size else (0, 1)
        box = (slice(None),) * axis + (slice(start, stop),)
        reference, prediction = reference[box], prediction[box]
    return reference, prediction


def _profile(mask: np.ndarray, axis: int) -> np.ndarray:
    """Tell for each position along an axis whether it holds any foreground."""
    if axis == 0:  # slabs are contiguous there: six times faster than a reduction over axes
        return np.array([slab.any() for slab in mask], dtype=bool)
    others = tuple(other for other in range(mask.ndim) if other != axis)
    return np.logical_or.reduce(mask, axis=others)


def _directed(start: np.ndarray, target: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the distance of each surface voxel of `start` to the nearest one of `target`."""
    apart = start & ~target
    asked = np.count_nonzero(apart)
    if asked * _VOXELS_A_QUERY > start.size:
        return ndimage.distance_transform_edt(~target, sampling=spacing)[start]
    found = np.zeros(np.count_nonzero(start))  # a shared voxel is at distance 0 unasked
    if asked:
        tree = KDTree(_points(target, spacing), balanced_tree=False, compact_nodes=False)
        found[apart[start]] = tree.query(_points(apart, spacing))[0]
    return found


def _points(mask: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    return np.argwhere(mask) * np.asarray(spacing, dtype=float)
