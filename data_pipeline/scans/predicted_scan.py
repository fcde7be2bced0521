"""One scan to predict: what a network sees of it, bit for bit as in training, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data_pipeline.cases.case import Case, Volume, bytes_to_read
from data_pipeline.cases.read_case import read_case, read_channels
from data_pipeline.feeding import value_range
from data_pipeline.feeding.targets import Target
from data_pipeline.files import memory_share
from data_pipeline.grid.geometry import Geometry
from data_pipeline.preparing.preparation import Preparation
from data_pipeline.preparing.prepare_case import grid_of, prepared_channels
from data_pipeline.scans.search import of_channels
from data_pipeline.storing import encoding

DRAWN = "flair"  # the channel that shows most of a glioma


@dataclass(frozen=True, eq=False)
class Voxels:
    """A scan's `(D, h, w, C)` voxels as a store rounds them; what is read of them is float32."""

    channels: tuple[np.ndarray, ...]  # (D, h, w) of uint8 or int16
    scales: tuple[float, ...]
    bring: Callable[[np.ndarray], None]  # in place, to the range that a network wants

    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the shape of all of them."""
        return (*self.channels[0].shape, len(self.channels))

    def __len__(self) -> int:
        return len(self.channels[0])

    def __getitem__(self, part: slice | tuple[slice, ...]) -> np.ndarray:
        parts = [channel[part] for channel in self.channels]
        images = np.empty((*parts[0].shape, len(parts)), np.float32)
        for place, (voxels, scale) in enumerate(zip(parts, self.scales, strict=True)):
            np.multiply(voxels, np.float32(scale), out=images[..., place], dtype=np.float32)
        self.bring(images)
        return images

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan without its voxels: where it lies, and how an answer comes back to it."""

    case: Case
    volume: Volume  # of no channel
    geometry: Geometry
    resampled: bool = False  # to voxels of another size than its own

    def restore(self, probabilities: np.ndarray, target: Target) -> np.ndarray:
        """Bring `(D, h, w, K)` probabilities back to the scan's own grid, as `(D, H, W, K)`."""
        return target.restore(probabilities, self.geometry)

    def drawn(self) -> np.ndarray:
        """Read the `(D, H, W)` channel that the scan is drawn by: held, it would only take room."""
        name = DRAWN if DRAWN in self.case.channels else self.case.channels[0]
        volume = read_case(of_channels(self.case, (name,)))
        return volume.image[..., volume.channels.index(name)]


def read(
    case: Case, preparation: Preparation, wanted: str = "normalised", *, fewer: bool = False
) -> tuple[Scan, Voxels]:
    """Read and prepare a scan; a store's rounding is repeated, so that scores can be, too.

    Where `fewer` channels will do, those that the scan lacks are zeros.
    """
    case = of_channels(case, preparation.channels, fewer=fewer)
    memory_share.require(bytes_to_read(case), str(case.images[0]))
    by_name = {volume.channels[0]: volume for volume in read_channels(case)}
    return of_volumes(case, filled(by_name, preparation.channels), preparation, wanted)


def filled(by_name: dict[str, Volume], channels: tuple[str, ...]) -> list[Volume]:
    """Return the volumes of all channels in order; one that is not there is empty."""
    first = next(iter(by_name.values()))
    nothing = np.zeros_like(first.image)
    return [
        by_name.pop(name) if name in by_name else replace(first, image=nothing, channels=(name,))
        for name in channels
    ]


def of_volumes(
    case: Case, channels: list[Volume], preparation: Preparation, wanted: str = "normalised"
) -> tuple[Scan, Voxels]:
    """Prepare a scan's channels, each a volume, in the order of the preparation; empties them."""
    plan = grid_of(case.name, channels, preparation)
    volume = replace(channels[0], image=channels[0].image[..., :0].copy(), channels=())
    prepared = prepared_channels(channels, preparation, plan)
    voxels, scales = zip(*map(encoding.rounded, prepared), strict=True)  # a channel at a time

    def bring(images: np.ndarray) -> None:
        value_range.bring(images, preparation.normalisation, wanted)

    resampled = preparation.rank == 3 and plan.resampled
    return Scan(case, volume, plan, resampled), Voxels(voxels, scales, bring)
