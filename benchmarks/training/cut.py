"""From probabilities to masks: a threshold, and how small a part of the lesion may be."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage

from benchmarks.protocols.protocol import Evaluation
from data_pipeline.feeding.targets import Target

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 19))
SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)  # what `smallest` may be chosen among
NEIGHBOURS = np.ones((3, 3, 3))


@dataclass(frozen=True)
class Cut:
    """How probabilities become masks.

    A component of the lesion with fewer voxels than `smallest` times those of the largest one is
    left out, of every region; 0 keeps all. Exclusive classes go by the largest, not by `threshold`.
    """

    threshold: float = 0.5
    smallest: float = 0.0

    @classmethod
    def of(cls, evaluation: Evaluation) -> "Cut":
        """Return what a protocol states; what it leaves open is as if nothing had been chosen."""
        return cls(evaluation.threshold or 0.5, evaluation.smallest or 0.0)

    def as_json(self) -> dict[str, float]:
        """Return what a record keeps; that every component counts goes without saying."""
        return {name: value for name, value in asdict(self).items() if value}

    def masks(
        self, found: np.ndarray, target: Target, regions: Mapping[str, tuple[int, ...]]
    ) -> dict[str, np.ndarray]:
        """Return one boolean (D, H, W) mask a region of (D, H, W, K) probabilities."""
        if target.exclusive:
            labels = target.likeliest(found)
            masks = {region: np.isin(labels, values) for region, values in regions.items()}
        else:
            masks = {
                region: found[..., target.channels.index(tuple(values))] >= self.threshold
                for region, values in regions.items()
            }
        if not self.smallest:
            return masks
        kept = large(np.logical_or.reduce([*masks.values()]), share=self.smallest)
        return {region: mask & kept for region, mask in masks.items()}


def mean(cuts: Sequence[Cut]) -> Cut:
    """Return the cut of several networks as one."""
    return Cut(
        float(np.mean([one.threshold for one in cuts])),
        float(np.mean([one.smallest for one in cuts])),
    )


def large(lesion: np.ndarray, *, share: float = 0.0, least: int = 0) -> np.ndarray:
    """Keep the components, of 26 neighbours, of so many voxels and that share of the largest."""
    components, _ = ndimage.label(lesion, NEIGHBOURS)
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    return ((sizes > 0) & (sizes >= least) & (sizes >= share * sizes.max()))[components]
