"""Recurrent and residual blocks: weights are shared by calling the same layer again."""

from collections.abc import Callable

import keras
from keras import layers

from zoo.blocks.convolution import batch_norm_layer, convolution_layer, rank_of


def shared_unit(
    rank: int, filters: int, *, name: str
) -> Callable[[keras.KerasTensor, int], keras.KerasTensor]:
    """Return `unit(x, step)`: one 3x3 convolution, BatchNorm and ReLU, the same at every step.

    The BatchNorm is shared as the convolution is; a port that makes new layers at every step has
    a feed-forward network of t + 1 times the parameters.
    """
    conv = convolution_layer(rank, filters, name=f"{name}_conv")
    norm = batch_norm_layer(name=f"{name}_norm")

    def unit(x: keras.KerasTensor, step: int) -> keras.KerasTensor:
        return layers.Activation("relu", name=f"{name}_relu{step}")(norm(conv(x)))

    return unit


def recurrent(x: keras.KerasTensor, filters: int, steps: int, *, name: str) -> keras.KerasTensor:
    """Apply one shared unit `steps + 1` times: y = u(x), then `steps` times y = u(x + y)."""
    unit = shared_unit(rank_of(x), filters, name=name)
    y = unit(x, 0)
    for step in range(1, steps + 1):
        y = unit(layers.Add(name=f"{name}_add{step}")([x, y]), step)
    return y
