"""What is drawn for one sample, and how it moves: what the pipeline does for a batch at once."""

from collections.abc import Mapping

from data_pipeline.augmenting.augmentation import Augmentation
from data_pipeline.augmenting.motion import Motion
from data_pipeline.augmenting.moves import Key, draw, moves


def drawn(key: Key) -> Mapping[str, float]:
    """Return the uniform numbers of a sample by name."""
    return {name: float(values[0]) for name, values in draw([key]).items()}


def moved(augmentation: Augmentation, key: Key, shape: tuple[int, ...]) -> Motion | None:
    """Return where a sample's voxels move."""
    return moves(augmentation, draw([key]), shape)[0]
