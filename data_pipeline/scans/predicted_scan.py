"""One scan to predict: what a network sees of it, bit for bit as in training, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data_pipeline.cases.case import Case, Volume, bytes_to_read
from data_pipeline.cases.read_case import read_case
from data_pipeline.feeding import value_range
from data_pipeline.feeding.targets import Target
from data_pipeline.files import memory_share
from data_pipeline.grid.geometry import Geometry
from data_pipeline.preparing.preparation import Preparation
from data_pipeline.preparing.prepare_case import chosen, encoded, grid_of
from data_pipeline.scans.search import of_channels
from data_pipeline.storing import encoding

DRAWN = "flair"  # the channel that shows most of a glioma


@dataclass(frozen=True, eq=False)
class Voxels:
    """A scan's `(D, h, w, C)` voxels as a store holds them; what is read of them is float32."""

    whole: np.ndarray  # uint8 or int16
    scales: tuple[float, ...]
    bring: Callable[[np.ndarray], None]  # in place, to the range that a network wants

    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the shape of all of them."""
        return self.whole.shape

    def __len__(self) -> int:
        return len(self.whole)

    def __getitem__(self, part: slice | tuple[slice, ...]) -> np.ndarray:
        voxels = np.ascontiguousarray(self.whole[part])
        images = np.empty(voxels.shape, np.float32)
        encoding.decode(voxels, self.scales, images)
        self.bring(images)
        return images

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)


@dataclass(frozen=True, eq=False)
class Scan:
    """A prepared scan: `images` go to the network, and `restore` takes its answer back."""

    case: Case
    volume: Volume  # of one channel
    images: Voxels  # (D, h, w, C), normalised, on the model's grid
    geometry: Geometry

    def restore(self, probabilities: np.ndarray, target: Target) -> np.ndarray:
        """Bring `(D, h, w, K)` probabilities back to the scan's own grid, as `(D, H, W, K)`."""
        return target.restore(probabilities, self.geometry)


def read(case: Case, preparation: Preparation, wanted: str = "normalised") -> Scan:
    """Read and prepare a scan; a store's rounding is repeated, so that scores can be, too."""
    case = of_channels(case, preparation.channels)
    memory_share.require(bytes_to_read(case), str(case.images[0]))
    volume = chosen(read_case(case), preparation.channels)
    plan = grid_of(volume, preparation)
    voxels, scales = encoded(volume, preparation, plan)

    def bring(images: np.ndarray) -> None:
        value_range.bring(images, preparation.normalisation, wanted)

    return Scan(case, _of_one_channel(volume), Voxels(voxels, scales, bring), plan)


def _of_one_channel(volume: Volume) -> Volume:
    """Keep of a scan the channel that it is drawn by; the others only take room."""
    shown = volume.channels.index(DRAWN) if DRAWN in volume.channels else 0
    image = volume.image[..., shown : shown + 1].copy()
    return replace(volume, image=image, channels=(volume.channels[shown],))
