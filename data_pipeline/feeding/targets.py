"""What a model is asked for: label values turned into the channels of its target."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data_pipeline.errors import UserError
from data_pipeline.grid.geometry import Geometry
from data_pipeline.spec import DataSpec


@dataclass(frozen=True)
class Target:
    """The channels of a target, each a set of label values; `regions` are what is scored."""

    channels: tuple[tuple[int, ...], ...]
    regions: Mapping[str, tuple[int, ...]]
    exclusive: bool = False  # softmax classes, of which the first is the background
    sparse: bool = False

    @property
    def classes(self) -> int:
        """Count the channels of a model's output."""
        return len(self.channels)

    @property
    def width(self) -> int:
        """Count the channels of a target: one where it holds label values."""
        return 1 if self.sparse else self.classes

    @property
    def outside(self) -> np.ndarray:
        """Give the probabilities of a voxel that no model saw: background."""
        return np.eye(self.classes, dtype=np.float32)[0] * self.exclusive

    def encode(self, labels: np.ndarray, into: np.ndarray | None = None) -> np.ndarray:
        """Turn labels of any shape into uint8 targets with `width` channels behind."""
        into = np.empty((*labels.shape, self.width), np.uint8) if into is None else into
        if self.sparse:
            into[..., 0] = labels
            return into
        for channel, values in enumerate(self.channels):
            _any_of(labels, values, into.view(bool)[..., channel])
        return into

    def likeliest(self, probabilities: np.ndarray) -> np.ndarray:
        """Turn `(..., K)` probabilities of exclusive classes into uint8 label values."""
        values = np.array([channel[0] for channel in self.channels], np.uint8)
        return values[probabilities.argmax(axis=-1)]

    def restore(self, probabilities: np.ndarray, geometry: Geometry) -> np.ndarray:
        """Bring `(D, h, w, K)` probabilities back to a scan's own grid, as `(D, H, W, K)`."""
        native = geometry.to_native(probabilities, self.outside)
        return np.clip(native, 0, 1, out=native)  # a resize may round to just above 1


def _any_of(labels: np.ndarray, values: tuple[int, ...], into: np.ndarray) -> None:
    np.equal(labels, values[0], out=into)
    for value in values[1:]:
        into |= labels == value


def target_of(
    spec: DataSpec, labels: Mapping[str, int], regions: Mapping[str, tuple[int, ...]]
) -> Target:
    """Choose the channels that a spec asks for among the labels and regions of a layout."""
    regions = {name: tuple(values) for name, values in regions.items()}
    lesion = tuple(sorted(value for value in set(labels.values()) if value))
    if spec.target == "whole":
        names = [name for name, values in regions.items() if tuple(sorted(values)) == lesion]
        return Target((lesion,), {names[0] if names else "whole": lesion})
    if spec.target == "labels":
        if lesion != tuple(range(1, len(lesion) + 1)):
            raise UserError(
                f"Expected labels 1, 2, 3, ... for the target 'labels'. Received: {lesion}. "
                "Use the target 'regions' or 'whole'."
            )
        return Target(((0,), *((value,) for value in lesion)), regions, True, spec.sparse_labels)
    if len(regions) < 2:
        raise UserError(
            f"Expected a layout with several regions for the target 'regions'. Received: "
            f"{spec.layout!r} with {', '.join(regions) or 'none'}. Use the target 'whole'."
        )
    return Target(tuple(regions.values()), regions)
