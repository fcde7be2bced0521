"""One scan to predict: what a network sees of it, bit for bit as in training, and the way back."""

from dataclasses import dataclass

import numpy as np

from data_pipeline import encoding, value_range
from data_pipeline.case import Case, Volume, read_case
from data_pipeline.geometry import Geometry
from data_pipeline.job import Preparation
from data_pipeline.prepare_case import chosen, on_model_grid
from data_pipeline.scans import of_channels
from data_pipeline.targets import Target


@dataclass(frozen=True, eq=False)
class Scan:
    """A prepared scan: `images` go to the network, and `restore` takes its answer back."""

    case: Case
    volume: Volume
    images: np.ndarray  # (D, h, w, C) float32, normalised, on the model's grid
    geometry: Geometry

    def restore(self, probabilities: np.ndarray, target: Target) -> np.ndarray:
        """Bring `(D, h, w, K)` probabilities back to the scan's own grid, as `(D, H, W, K)`."""
        return target.restore(probabilities, self.geometry)


def read(case: Case, preparation: Preparation, wanted: str = "normalised") -> Scan:
    """Read and prepare a scan; a store's rounding is repeated, so that scores can be, too."""
    case = of_channels(case, preparation.channels)
    volume = chosen(read_case(case), preparation.channels)
    plan, image = on_model_grid(volume, preparation)
    records, scales = encoding.encode(image, np.zeros(image.shape[:3], np.uint8))
    images = np.empty(image.shape, np.float32)
    encoding.decode(encoding.parted(records)[0], scales, images)
    value_range.bring(images, preparation.normalisation, wanted)
    return Scan(case, volume, images, plan)
