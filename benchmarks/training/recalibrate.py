"""Moving statistics estimated again after training: one pass over the training data, averaged.

Statistics that trail a training by a tenth a step are those of weights that are gone; those that a
recurrence shares are a mean over signals that differ. Neither needs another training to be mended:
weights stay as they are, and what normalises them in inference is measured anew. A variant with
statistics a step trains as the published form does, bit for bit: recalibrated, it is the published
network with each step's own.
"""

from collections.abc import Iterable
from typing import Any

import keras
from keras import layers


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
