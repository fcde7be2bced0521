"""From a trained network and a scan to its mask, on the scan's own grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.inference.predictor import Predictor
from benchmarks.predicting.trained_network import Trained
from benchmarks.training import evaluate
from data_pipeline.cases.case import Case
from data_pipeline.scans import predicted_scan as scans
from data_pipeline.scans.predicted_scan import Scan


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says of a scan: label values of the project, and a probability a region."""

    scan: Scan
    labels: np.ndarray  # (D, H, W) uint8
    masks: Mapping[str, np.ndarray]  # a boolean (D, H, W) for each region
    probabilities: Mapping[str, np.ndarray]  # float32 (D, H, W)

    def volumes(self) -> list[dict[str, Any]]:
        """Return a row for each region: voxels, and millilitres where the voxel size is known."""
        volume = self.scan.volume
        voxel = float(np.prod(volume.spacing)) / 1000
        counts = {region: int(np.count_nonzero(mask)) for region, mask in self.masks.items()}
        return [
            {
                "case": self.scan.case.name,
                "region": region,
                "voxels": count,
                "ml": round(count * voxel, 4) if volume.in_mm else None,
            }
            for region, count in counts.items()
        ]


def predict(
    network: Predictor, trained: Trained, case: Case, *, least: int = 0, any_spacing: bool = False
) -> Prediction:
    """Predict a case; components of the lesion with fewer than `least` voxels are left out."""
    scan = scans.read(case, trained.preparation, trained.value_range)
    if not any_spacing:
        trained.require_spacing(case.name, scan.volume.spacing, scan.volume.in_mm)
    target = trained.target
    found = scan.restore(network(scan.images), target)
    masks = evaluate.masks(found, target, target.regions, trained.threshold)
    labels = target.likeliest(found) if target.exclusive else _lesion(masks)
    if least:
        kept = _large(labels > 0, least)
        labels *= kept
        masks = {region: mask & kept for region, mask in masks.items()}
    probabilities = dict(evaluate.region_probabilities(found, target, target.regions))
    return Prediction(scan, labels, masks, probabilities)


def _lesion(masks: Mapping[str, np.ndarray]) -> np.ndarray:
    """Give 1 to the voxels of the one mask that a network of nothing but lesion has."""
    (lesion,) = masks.values()
    return lesion.astype(np.uint8)


def _large(lesion: np.ndarray, least: int) -> np.ndarray:
    """Keep the components, of 26 neighbours, that have at least so many voxels."""
    components, _ = ndimage.label(lesion, np.ones((3, 3, 3)))
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    return (sizes >= least)[components]
