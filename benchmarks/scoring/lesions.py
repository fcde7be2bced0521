"""Lesion by lesion: what BraTS has ranked by since 2023, because one large tumour hides misses.

The rule is that of the challenge's own program for gliomas (Saluja et al.,
github.com/rachitsaluja/BraTS-2023-Metrics, `get_LesionWiseScores`):

1. Reference voxels are one lesion where their dilations connect (26 neighbours), so that
   satellites of a lesion do not count as lesions of their own.
2. Each connected component of the prediction (26 neighbours) that meets the dilated lesion
   belongs to it, whole; a component that meets two lesions belongs to both.
3. The lesion's Dice and HD95 compare the undilated lesion with all that belongs to it; a lesion
   that nothing belongs to is missed.
4. Reference lesions of at most 50 voxels are not scored, and what belongs to them is forgiven.
5. Every component that belongs to no lesion is a false positive, however small.

The challenge counts the 50 in mm3 on its grid of 1 mm, where that is the same. Its HD95 weights
surface voxels by area; here HD95 is that of `surface`, as everywhere else in this project.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.scoring import surface

DILATION = 3  # steps to the 18 nearest neighbours
SMALL_LESION = 50  # voxels

Box = tuple[slice, ...]


@dataclass(frozen=True)
class _Components:
    """The components of a mask: their labels from 1, and a box around each."""

    labels: np.ndarray
    boxes: list[Box]


def measure(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing: Sequence[float],
    *,
    surfaces: bool = True,
    dilation: int = DILATION,
    small: int = SMALL_LESION,
) -> dict[str, Any]:
    """Return each scored lesion's size, Dice and HD95, and the number of false positives."""
    reference, prediction = surface.crop_to_union(reference, prediction)
    dilated = _label(_dilate(reference, dilation))
    predicted = _label(prediction)
    owners = _owners(dilated.labels, predicted.labels)
    lesions = [
        _lesion(reference, label, dilated, predicted, owners[label], spacing, surfaces)
        for label, voxels in enumerate(np.bincount(dilated.labels[reference]))
        if voxels > small
    ]
    matched = {component for owned in owners.values() for component in owned}
    return {
        "lesions": lesions,
        "lesion_false_positives": len(predicted.boxes) - len(matched),
    }


def _dilate(mask: np.ndarray, steps: int) -> np.ndarray:
    if not steps:  # scipy takes 0 for "until nothing changes"
        return mask
    neighbours = ndimage.generate_binary_structure(mask.ndim, min(2, mask.ndim))
    return ndimage.binary_dilation(mask, neighbours, iterations=steps)


def _label(mask: np.ndarray) -> _Components:
    every_neighbour = np.ones((3,) * mask.ndim)
    labels, _ = ndimage.label(mask, every_neighbour)
    return _Components(labels, ndimage.find_objects(labels))


def _owners(dilated: np.ndarray, predicted: np.ndarray) -> dict[int, list[int]]:
    """Tell for each dilated lesion which components of the prediction it meets."""
    meet = (dilated > 0) & (predicted > 0)
    base = int(predicted.max()) + 1  # one number a pair: rows would take 20 times as long to sort
    pairs = np.unique(dilated[meet].astype(np.int64) * base + predicted[meet])
    owners: dict[int, list[int]] = {label + 1: [] for label in range(dilated.max())}
    for lesion, component in zip(*np.divmod(pairs, base), strict=True):
        owners[int(lesion)].append(int(component))
    return owners


def _lesion(
    reference: np.ndarray,
    label: int,
    dilated: _Components,
    predicted: _Components,
    owned: list[int],
    spacing: Sequence[float],
    surfaces: bool,
) -> dict[str, Any]:
    """Compare one lesion with the components that belong to it; HD95 is None where none does."""
    boxes = [dilated.boxes[label - 1], *(predicted.boxes[component - 1] for component in owned)]
    box = _around(boxes)
    lesion = reference[box] & (dilated.labels[box] == label)
    found = np.isin(predicted.labels[box], owned)
    sizes = np.count_nonzero(lesion) + np.count_nonzero(found)
    scores: dict[str, Any] = {
        "voxels": int(np.count_nonzero(lesion)),
        "dice": 2 * int(np.count_nonzero(lesion & found)) / int(sizes),
    }
    if surfaces:
        distances = surface.distances(lesion, found, spacing) if owned else None
        scores["hd95"] = distances.percentile(95) if distances else None
    return scores


def _around(boxes: list[Box]) -> Box:
    return tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*boxes, strict=True)
    )
