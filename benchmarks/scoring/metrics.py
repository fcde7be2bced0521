"""From two masks to a row of facts, and from the row to every metric.

`measure` looks at the voxels once and returns what a record keeps of them: counts, distances and
what was empty, ready for JSON. `policies.values` turns a row into metrics, now or later; `score`
does both. The unit is the patient: stack a 2D model's slices back into the volume first.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.errors import UserError
from benchmarks.scoring import lesions, policies, surface


@dataclass(frozen=True)
class Counts:
    """True and false positives and negatives; adding two pools their voxels."""

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn
        )

    @property
    def status(self) -> str:
        """Say which of the two masks is empty: `ok` where neither is."""
        reference, prediction = self.tp + self.fn > 0, self.tp + self.fp > 0
        names = {
            (True, True): "ok",
            (True, False): "pred_empty",
            (False, True): "ref_empty",
            (False, False): "both_empty",
        }
        return names[reference, prediction]


def count(reference: np.ndarray, prediction: np.ndarray) -> Counts:
    """Compare two boolean masks voxel by voxel."""
    tp = int(np.count_nonzero(reference & prediction))
    fp = int(np.count_nonzero(prediction)) - tp
    fn = int(np.count_nonzero(reference)) - tp
    return Counts(tp, fp, fn, reference.size - tp - fp - fn)


def measure(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing: Sequence[float] = (1, 1, 1),
    *,
    surfaces: bool = True,
) -> dict[str, Any]:
    """Return the row that a record keeps of one patient and region; `(D, H, W)` or `(H, W)`.

    `surfaces=False` leaves out every distance: they cost more than all the rest.
    """
    reference, prediction = _mask(reference, "reference"), _mask(prediction, "prediction")
    if reference.shape != prediction.shape:
        raise UserError(
            f"Expected a prediction of the reference's shape {reference.shape}. "
            f"Received: {prediction.shape}. Bring both to one grid first."
        )
    spacing = _spacing(spacing, reference.ndim)
    counts = count(reference, prediction)
    row: dict[str, Any] = {
        **asdict(counts),
        "status": counts.status,
        "voxel_volume_mm3": math.prod(spacing),
        "diagonal_mm": math.hypot(*np.multiply(reference.shape, spacing).tolist()),
    }
    if reference.ndim == 3:
        row["slices"] = _slices(reference, prediction)
    reference, prediction = surface.crop_to_union(reference, prediction)
    if surfaces:
        row |= _distances(reference, prediction, spacing, counts.status)
    if reference.ndim == 3:
        row |= lesions.measure(reference, prediction, spacing, surfaces=surfaces)
    return row


def score(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing: Sequence[float] = (1, 1, 1),
    *,
    policy: str = "brats",
    surfaces: bool = True,
) -> dict[str, Any]:
    """Compare two masks, 2D or 3D, and return every metric by name, with the facts behind them."""
    policies.find(policy)  # before the slow part
    row = measure(reference, prediction, spacing, surfaces=surfaces)
    facts = ("tp", "fp", "fn", "tn", "voxel_volume_mm3", "status")
    return {**policies.values(row, policy), **{name: row[name] for name in facts}}


def _mask(array: np.ndarray, name: str) -> np.ndarray:
    array = np.asarray(array)
    if array.ndim not in (2, 3) or not array.size:
        raise UserError(
            f"Expected a {name} mask in 2D or 3D. Received: shape {array.shape}. "
            "Score one patient and one region at a time."
        )
    if array.dtype == bool:
        return array
    mask = array != 0
    if not np.array_equal(mask, array):
        raise UserError(
            f"Expected a {name} mask of 0 and 1. Received: values from {array.min()} to "
            f"{array.max()}. Apply a threshold, or pick a region of the labels, first."
        )
    return mask


def _spacing(spacing: Sequence[float], rank: int) -> tuple[float, ...]:
    """Return the voxel's size along each axis; an isotropic one fits any rank."""
    sizes = tuple(float(size) for size in spacing)
    if len(set(sizes)) == 1:
        sizes = sizes[:1] * rank
    if len(sizes) != rank or not all(math.isfinite(size) and size > 0 for size in sizes):
        raise UserError(
            f"Expected {rank} positive voxel sizes in mm, one an axis. Received: {spacing}."
        )
    return sizes


def _distances(
    reference: np.ndarray, prediction: np.ndarray, spacing: Sequence[float], status: str
) -> dict[str, float | None]:
    if status != "ok":
        return dict.fromkeys((*policies.DISTANCES, *policies.SURFACE_SHARES))
    found = surface.distances(reference, prediction, spacing)
    return {
        "hd95": found.percentile(95),
        "hd": found.percentile(100),
        "assd": found.assd,
        "nsd_1mm": found.nsd(1.0),
        "nsd_2mm": found.nsd(2.0),
    }


def _slices(reference: np.ndarray, prediction: np.ndarray) -> list[list[int]]:
    """Return `[tp, fp, fn]` of each axial slice, the first axis."""
    counts = (count(*planes) for planes in zip(reference, prediction, strict=True))
    return [[plane.tp, plane.fp, plane.fn] for plane in counts]
