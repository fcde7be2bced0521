"""A float32 probability for each voxel and class: what every model answers, found by probing."""

from typing import TYPE_CHECKING

from zoo.errors import UserError

if TYPE_CHECKING:
    import keras

SIDE = 64  # of an input whose sides are open
SPREAD = 3.0  # of the probe: wider than normalised images, so that logits leave [0, 1]


def require(model: "keras.Model", name: str, shape: tuple[int | None, ...], classes: int) -> None:
    """Refuse a model of another form, and one whose answers are no probabilities."""
    import keras

    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise UserError(
            f"{name}: returned {type(model).__name__}, not a model with inputs; return "
            "keras.Model(inputs, outputs)."
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(f"{name}: has several inputs or outputs; one image in, one mask out.")
    expected = (*shape[:-1], classes)
    if model.output_shape[1:] != expected:
        raise UserError(
            f"{name}: answers {model.output_shape[1:]} for an input of {shape} and {classes} "
            f"classes; expected {expected}: a mask of the image's size, a channel a class."
        )
    dtype = keras.backend.standardize_dtype(model.outputs[0].dtype)
    if dtype != "float32":
        raise UserError(
            f"{name}: answers in {dtype}; end in a layer with dtype='float32', which mixed "
            "precision needs."
        )
    _require_values(model, name, shape, classes)


def _require_values(model: "keras.Model", name: str, shape: tuple, classes: int) -> None:
    import keras
    import numpy as np

    probe = np.random.default_rng(0).normal(0, SPREAD, (1, *(side or SIDE for side in shape)))
    answer = keras.ops.convert_to_numpy(model(probe.astype("float32"), training=False))
    last = "activation='sigmoid'" if classes == 1 else "activation='softmax'"
    if not np.isfinite(answer).all():
        raise UserError(f"{name}: answers NaN or infinity for an image of noise; mend it.")
    if answer.min() < 0 or answer.max() > 1:
        raise UserError(
            f"{name}: answers from {answer.min():.3g} to {answer.max():.3g}, which are logits and "
            f"no probabilities; end in {last}."
        )
    if classes > 1 and not np.allclose(answer.sum(axis=-1), 1, atol=1e-3):
        raise UserError(f"{name}: its {classes} classes do not sum to 1; end in {last}.")
