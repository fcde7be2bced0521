"""Moving statistics estimated again after training: one pass over the training data, averaged.

Statistics that trail a training by a tenth a step are those of weights that are gone; those that a
recurrence shares are a mean over signals that differ. Neither needs another training to be mended:
weights stay as they are, and what normalises them in inference is measured anew.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import keras
from keras import layers

import zoo
from zoo import weights
from zoo.blocks.recurrent import SteppedBatchNormalization

PER_STEP = "own_statistics"


def with_own_statistics(model: keras.Model) -> keras.Model:
    """Return the form of a recurrent network that keeps statistics a step, with its weights."""
    identity = replace(weights.identity_of(model), variant=PER_STEP)
    other = zoo.create(
        identity.reference or identity.architecture,
        identity.input_shape,
        identity.classes,
        identity.variant,
        identity.width,
        **identity.settings,
    )
    for layer in other.layers:
        values = model.get_layer(layer.name).get_weights()
        if isinstance(layer, SteppedBatchNormalization):
            values += values[2:] * (layer.steps - 1)
        layer.set_weights(values)
    return other


def norms(model: keras.Model) -> list[layers.BatchNormalization]:
    """Return the layers that keep moving statistics."""
    return [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]


def estimate(model: keras.Model, batches: Iterable[tuple[Any, Any]]) -> int:
    """Replace a model's moving statistics by their mean over these batches; return their number."""
    found = norms(model)
    momenta = [layer.momentum for layer in found]
    number = 0
    for number, (images, _) in enumerate(batches, 1):
        for layer in found:
            layer.momentum = (number - 1) / number  # a running mean: each batch counts alike
        model(images, training=True)
    for layer, momentum in zip(found, momenta, strict=True):
        layer.momentum = momentum
    return number
