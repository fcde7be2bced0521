"""From what a normalisation gives to the range of values that a network wants.

A network trained from nothing takes z-scores as well as [0, 1]. One that carries another's
preprocessing inside, as the encoders of keras.applications do, means [0, 1] and nothing else: fed
z-scores, ResNet50's weights would see values from -960 to 620 where ImageNet gave -124 to 151.
"""

import numpy as np

from data_pipeline.errors import UserError

RANGES = ("normalised", "unit")  # as the normalisation gives it; [0, 1]
ALREADY_UNIT = ("div255", "minmax_slice", "gaussian_clahe")
DEVIATIONS = 4.0  # of a z-score, on either side of the mean, make up [0, 1]; beyond it is clipped


def check(normalisation: str, wanted: str) -> None:
    """Refuse a range that a normalisation can't be brought to."""
    if wanted not in RANGES:
        raise UserError(f"Expected a range of {', '.join(RANGES)}. Received: {wanted!r}.")
    if wanted == "unit" and normalisation not in (*ALREADY_UNIT, "zscore_brain"):
        raise UserError(
            f"The network takes images in [0, 1], and the normalisation {normalisation!r} has no "
            f"bounds. Choose zscore_brain or one of {', '.join(ALREADY_UNIT)}."
        )


def bring(images: np.ndarray, normalisation: str, wanted: str) -> None:
    """Change normalised float32 images, in place, to the range that is wanted."""
    if wanted == "unit" and normalisation not in ALREADY_UNIT:
        images /= 2 * DEVIATIONS
        images += 0.5
        np.clip(images, 0, 1, out=images)
