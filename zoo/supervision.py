"""Deep supervision: while it trains, every level of a decoder answers, and not the finest alone.

As in nnU-Net (Isensee et al. 2021): a 1x1 head on each coarser level, its loss against the target
at that level's voxels, and half the weight of the level above. The heads belong to the training:
the network itself has neither their parameters nor their cost.
"""

import re
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from zoo.blocks.ends import head
from zoo.errors import UserError

LEVEL = re.compile(r"up(\d+)(_.*)?")  # the names of a decoder's layers, by level


class Supervised(keras.Model):
    """The network with its heads; shares every layer with the network that it was made of."""

    def __init__(self, inputs, outputs, loss: Callable[[Any, Any], Any]):
        super().__init__(inputs=inputs, outputs=outputs)
        self.loss_of_level = loss

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Add up the levels' losses by weights of 1, 1/2, 1/4, ... that sum to 1."""
        weights = [0.5**place for place in range(len(y_pred))]
        losses = [
            weight * ops.mean(self.loss_of_level(_at_level(y, answer), answer))
            for weight, answer in zip(weights, y_pred, strict=True)
        ]
        return sum(losses) / sum(weights)


def supervised(model: keras.Model, loss: Callable[[Any, Any], Any]) -> Supervised:
    """Return a network for training whose decoder answers at every level, the finest first."""
    levels = _levels(model)
    if not levels:
        raise UserError(
            f"{model.name} has no coarser levels in its decoder to supervise: leave deep "
            "supervision off."
        )
    coarse = [head(x, model.output_shape[-1], suffix=name) for name, x in levels]
    return Supervised(model.inputs, [model.output, *coarse], loss)


def _levels(model: keras.Model) -> list[tuple[str, keras.KerasTensor]]:
    """Return the last tensor of each decoder level coarser than the answer, the finest first."""
    last = {}
    for layer in model.layers:  # in the order of the graph
        if match := LEVEL.fullmatch(layer.name):
            last[match[1]] = layer.output
    coarser = [(name, x) for name, x in last.items() if x.shape[1] < model.output.shape[1]]
    return sorted(coarser, key=lambda level: -level[1].shape[1])


def _at_level(target, answer):
    """Take of a target the voxels in the middle of the level's larger ones."""
    for axis in range(1, len(target.shape) - 1):
        step = target.shape[axis] // answer.shape[axis]
        if step > 1:
            places = ops.arange(step // 2, target.shape[axis], step)
            target = ops.take(target, places, axis=axis)
    return target
