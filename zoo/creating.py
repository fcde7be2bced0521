"""Models by name: an architecture built, and its weights loaded where a file is named."""

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.building import build
from zoo.errors import UserError

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
    `encoder_weights="imagenet"` or `separable=True`; `weights` is a file of `zoo.weights`, or the
    name of a preset, which says what is not stated here: its first fold is loaded.
    """
    if isinstance(weights, str) and not Path(weights).exists():
        from zoo.presets.preset import NAME  # nor a list of names presets

        if NAME.fullmatch(weights):
            return _preset(name, input_shape, weights)
    model = build(name, input_shape, classes, variant, width, **settings)
    if weights is not None:
        from zoo.weights import load  # NumPy and safetensors, which a list of names can do without

        load(model, weights)
    return model


def _preset(name: str, input_shape: tuple[int | None, ...] | None, preset: str) -> "keras.Model":
    """Build what a preset's first file was saved from, for other sides where they are stated."""
    from zoo.presets import shelf
    from zoo.weights import header, load

    path = shelf.paths(preset)[0]
    made = header(path).identity
    if made.architecture != name:
        raise UserError(f"The preset {preset} is one of {made.architecture}, not of {name}.")
    shape = made.input_shape if input_shape is None else input_shape
    model = build(name, shape, made.classes, made.variant, made.width, **made.settings)
    load(model, path)
    return model
