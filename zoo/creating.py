"""Models by name: an architecture built, and its weights loaded where a file is named."""

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.building import build

if TYPE_CHECKING:
    import keras


def create(
    name: str,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int | None = None,
    variant: str | None = None,
    width: float = 1.0,
    weights: str | Path | None = None,
    **settings: object,
) -> "keras.Model":
    """Build a model that returns float32 probabilities: sigmoid for one class, else softmax.

    `settings` are further keyword arguments of the architecture's `build`, such as
    `encoder_weights="imagenet"` or `separable=True`; `weights` is a file of `zoo.weights`.
    """
    model = build(name, input_shape, classes, variant, width, **settings)
    if weights is not None:
        from zoo.weights import load  # NumPy and safetensors, which a list of names can do without

        load(model, weights)
    return model
