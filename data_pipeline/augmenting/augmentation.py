"""`Augmentation`: how far the random changes of a sample may go."""

import dataclasses
from dataclasses import dataclass

from data_pipeline.errors import UserError
from data_pipeline.plain import LATER


@dataclass(frozen=True)
class Augmentation:
    """How far each random change may go; everything is off by default.

    Ranges are symmetric: `rotation=15` draws from -15 to 15 degrees. Those named `..._probability`
    tell how often a change happens at all, and the flips are probabilities themselves. `as_keras`
    takes rotation, shift, shear, zoom and flips as Keras' ImageDataGenerator does: shear in degrees
    and of one axis, a zoom for each axis, a shift that turns along, and edges that go on outside.
    """

    rotation: float = 0.0  # degrees, in the plane of a slice
    tilt: float = 0.0  # degrees, out of that plane; volumes only
    shift: float = 0.0  # fraction of each side
    shear: float = 0.0  # columns per row and rows per column; degrees with `as_keras`
    zoom: float = 0.0  # fraction: 0.1 magnifies by 0.9 to 1.1
    affine_probability: float = 1.0  # of the five above, together
    flip: float = 0.0  # left and right
    flip_vertical: float = 0.0  # front and back
    flip_depth: float = 0.0  # top and bottom; volumes only
    elastic: float = 0.0  # standard deviation of a smooth bend, as a fraction of the longest side
    elastic_probability: float = 1.0
    gamma: float = 0.0  # exponent from exp(-gamma) to exp(gamma), over the channel's range
    gamma_probability: float = 1.0
    contrast: float = 0.0  # fraction by which distances to the mean grow or shrink
    contrast_probability: float = 1.0
    noise: float = 0.0  # largest standard deviation, as a fraction of the channel's range
    noise_probability: float = 1.0
    bias_field: float = 0.0  # fraction by which a smooth field brightens or darkens
    bias_field_probability: float = 1.0
    as_keras: bool = dataclasses.field(default=False, metadata=LATER)
    # Probability that a channel is missing, all zeros; one at least stays.
    channel_dropout: float = dataclasses.field(default=0.0, metadata=LATER)

    def __post_init__(self) -> None:
        limits = _MOST | ({"shear": 90.0, "tilt": 0.0, "elastic": 0.0} if self.as_keras else {})
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            is_probability = item.name.startswith("flip") or item.name.endswith("_probability")
            most = 1.0 if is_probability else limits.get(item.name, 1.0)
            if not 0 <= value <= most:
                raise UserError(
                    f"Expected augmentation {item.name} from 0 to {most:g}. Received: {value}."
                )

    def __bool__(self) -> bool:
        changes = (*SPATIAL, *INTENSITY, "channel_dropout")
        return any(getattr(self, name) for name in changes)

    @property
    def flips_alone(self) -> bool:
        """Whether voxels are at most mirrored, so that any part of a sample can be done alone."""
        others = (*AFFINE, "elastic", *INTENSITY, "channel_dropout")
        return not any(getattr(self, name) for name in others)


_MOST = {"rotation": 180.0, "tilt": 180.0, "zoom": 0.9, "gamma": 3.0, "elastic": 0.2}
AFFINE = ("rotation", "tilt", "shift", "shear", "zoom")
SPATIAL = (*AFFINE, "flip", "flip_vertical", "flip_depth", "elastic")
INTENSITY = ("gamma", "contrast", "noise", "bias_field")
