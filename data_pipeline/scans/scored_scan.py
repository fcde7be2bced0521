"""One scan to be scored: what a model sees of it, and the way back to its own voxels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from data_pipeline.feeding.sampling import Member
from data_pipeline.feeding.targets import Target
from data_pipeline.grid.geometry import Geometry
from data_pipeline.storing import encoding
from data_pipeline.storing.store import Store


@dataclass(frozen=True, eq=False)
class PatientData:
    """A scan with its reference on the scan's own grid, because scores are computed there."""

    id: str
    patient: str
    images: np.ndarray  # (D, h, w, C) float32, normalised, on the model's grid
    reference: np.ndarray  # (D, H, W) uint8 labels on the scan's own grid
    spacing: tuple[float, float, float]  # of the scan's own grid
    in_mm: bool  # False: the files state no voxel size, `spacing` counts voxels
    geometry: Geometry
    target: Target

    def restore(self, probabilities: np.ndarray) -> np.ndarray:
        """Bring `(D, h, w, K)` probabilities back to the scan's own grid, as `(D, H, W, K)`."""
        expected = (*self.geometry.shape, self.target.classes)
        if probabilities.shape != expected:
            raise ValueError(f"Expected probabilities {expected}. Received: {probabilities.shape}.")
        return self.target.restore(probabilities, self.geometry)


def patients(store: Store, members: Sequence[Member], target: Target) -> Iterator[PatientData]:
    """Read the scans of a split one by one."""
    for member in members:
        case = store.cases[member.case]
        chosen = slice(None) if member.slices is None else list(member.slices)
        records = store.records(member.case)[chosen]
        images = np.empty((*records.shape[:-1], len(case.scales)), np.float32)
        encoding.decode(encoding.parted(records)[0], case.scales, images)
        plan = case.geometry
        if member.slices is not None:
            plan = plan.of_depth(len(records))
        yield PatientData(
            case.name,
            case.patient,
            images,
            store.reference(member.case)[chosen],
            case.spacing,
            case.in_mm,
            plan,
            target,
        )
