"""From a trained network and a scan to its mask, on the scan's own grid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.predicting.trained_network import Trained
from benchmarks.training import cut, evaluate
from benchmarks.training.cut import Cut
from data_pipeline.cases.case import Case
from data_pipeline.feeding.targets import Target
from data_pipeline.grid import voxels
from data_pipeline.scans import predicted_scan as scans
from data_pipeline.scans.predicted_scan import Scan, Voxels

Restore = Callable[[np.ndarray], np.ndarray]  # an answer, brought to the scan's own grid
Look = Callable[[Trained], tuple[Any, Restore]]  # what a network sees of a scan, and that


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says of a scan: label values of the project, and a probability a region."""

    scan: Scan
    labels: np.ndarray  # (D, H, W) uint8
    masks: Mapping[str, np.ndarray]  # a boolean (D, H, W) for each region
    found: np.ndarray  # (D, H, W, K) float32: what the network says of its own classes
    target: Target
    resampled: bool = False  # for any of the networks that were asked

    @property
    def voxel_size(self) -> str:
        """Write the scan's own voxel size."""
        return f"{voxels.text(self.scan.volume.spacing)} mm"

    @property
    def probabilities(self) -> dict[str, np.ndarray]:
        """Return the float32 (D, H, W) probability of each region."""
        return dict(evaluate.region_probabilities(self.found, self.target, self.target.regions))

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
    network: Callable[[Look], np.ndarray],
    trained: Trained,
    case: Case,
    *,
    least: int = 0,
) -> Prediction:
    """Predict a case; components of the lesion with fewer than `least` voxels are left out.

    The network, or the several that are used as one, looks at the case as each was taught to.
    """

    def read(member: Trained) -> tuple[Scan, Voxels]:
        fewer = member.takes_fewer
        scan, images = scans.read(case, member.preparation, member.value_range, fewer=fewer)
        member.require_spacing(case.name, scan.volume.spacing, scan.volume.in_mm)
        return scan, images

    return of_reading(network, trained, read, least)


def of_reading(
    network: Callable[[Look], np.ndarray],
    trained: Trained,
    read: Callable[[Trained], tuple[Scan, Voxels]],
    least: int = 0,
) -> Prediction:
    """Predict what is read for each way in which a network wants to see it."""
    scans_read: list[Scan] = []

    def look(member: Trained) -> tuple[Voxels, Restore]:
        scan, images = read(member)
        scans_read.append(scan)
        return images, partial(scan.restore, target=member.target)

    found = network(look)
    answer = of_answer(scans_read[0], found, trained, least)
    return replace(answer, resampled=any(scan.resampled for scan in scans_read))


def of_answer(scan: Scan, found: np.ndarray, trained: Trained, least: int = 0) -> Prediction:
    """Turn a network's answer on a scan's own grid into masks and labels."""
    target = trained.target
    masks = Cut(trained.threshold).masks(found, target, target.regions)
    labels = target.likeliest(found) if target.exclusive else _lesion(masks)
    if least or trained.smallest:
        kept = cut.large(labels > 0, share=trained.smallest, least=least)
        labels *= kept
        masks = {region: mask & kept for region, mask in masks.items()}
    return Prediction(scan, labels, masks, found, target)


def _lesion(masks: Mapping[str, np.ndarray]) -> np.ndarray:
    """Give 1 to the voxels of the one mask that a network of nothing but lesion has."""
    (lesion,) = masks.values()
    return lesion.astype(np.uint8)
