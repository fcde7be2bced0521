"""The two ends of every network: an input that fits its depth, and a head of probabilities."""

import keras
from keras import layers

from zoo.blocks.convolution import convolution
from zoo.errors import UserError

AXES = {2: ("height", "width"), 3: ("depth", "height", "width")}


def entry(input_shape: tuple[int | None, ...], multiple: int) -> keras.KerasTensor:
    """Return the input; refuse sides that `multiple` (2 ** poolings) does not divide."""
    axes = AXES[len(input_shape) - 1]
    for axis, side in zip(axes, input_shape, strict=False):
        if side is not None and side % multiple:
            fitting = -(-side // multiple) * multiple
            raise UserError(
                f"Expected {axis} divisible by {multiple}. Received: {side}. Pad to {fitting}."
            )
    return layers.Input(input_shape, name="image")


def require_static(input_shape: tuple[int | None, ...], name: str) -> None:
    """Refuse sides that are left open, where weights or matrices follow from them."""
    if None in input_shape:
        raise UserError(
            f"{name} is built for sides that are stated: expected numbers. Received: {input_shape}."
        )


def head(
    x: keras.KerasTensor, classes: int, kernel: int = 1, suffix: str = "", bias: bool = True
) -> keras.KerasTensor:
    """Map features to probabilities: sigmoid for one class, else softmax; always float32."""
    logits = convolution(x, classes, kernel, name=f"logits{suffix}", bias=bias)
    return probabilities(logits, classes, suffix)


def probabilities(logits: keras.KerasTensor, classes: int, suffix: str = "") -> keras.KerasTensor:
    """Turn logits into float32 probabilities, whatever the precision policy."""
    activation = "sigmoid" if classes == 1 else "softmax"
    return layers.Activation(activation, dtype="float32", name=f"mask{suffix}")(logits)
