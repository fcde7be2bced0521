"""Recurrent and residual blocks: weights are shared by calling the same layer again."""

from collections.abc import Callable

import keras
from keras import layers

from zoo.blocks.convolution import (
    MOMENTUM,
    batch_norm_layer,
    conv_relu,
    convolution,
    convolution_layer,
    rank_of,
)

# Whose statistics a unit's BatchNorm keeps for inference, and whose gamma and beta it learns.
NORMS = ("shared", "own_statistics", "own")

Unit = Callable[[keras.KerasTensor, int], keras.KerasTensor]


@keras.saving.register_keras_serializable("gliozoo")
class SteppedBatchNormalization(layers.BatchNormalization):
    """BatchNorm over a recurrence: one gamma and beta, moving statistics of its own a step.

    While it trains, each call normalises by its own batch. Statistics that all steps share are the
    mean of signals that differ, so that in inference no step is normalised by its own (Cooijmans et
    al. 2016, section 3, where the same was seen over time).
    """

    moving_mean: keras.Variable
    moving_variance: keras.Variable

    def __init__(self, steps: int, **kwargs):
        super().__init__(**kwargs)
        self.steps = steps

    def build(self, input_shape):
        """Make the statistics of every call; those of the first are BatchNorm's own."""
        super().build(input_shape)
        shape = self.moving_mean.shape
        self.statistics = [(self.moving_mean, self.moving_variance)]
        for step in range(1, self.steps):
            pair = [
                self.add_weight(
                    name=f"{name}_step{step}",
                    shape=shape,
                    initializer=initial,
                    trainable=False,
                    autocast=False,
                )
                for name, initial in (
                    ("moving_mean", self.moving_mean_initializer),
                    ("moving_variance", self.moving_variance_initializer),
                )
            ]
            self.statistics.append(tuple(pair))

    def call(self, inputs, step: int = 0, training=None):
        """Normalise the signal of one step."""
        self.moving_mean, self.moving_variance = self.statistics[step]
        try:
            return super().call(inputs, training=training)
        finally:
            self.moving_mean, self.moving_variance = self.statistics[0]

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"steps": self.steps}


def shared_unit(rank: int, filters: int, calls: int, *, name: str, norm: str = "shared") -> Unit:
    """Return `unit(x, step)`: one 3x3 convolution, BatchNorm and ReLU, the same at every step.

    A port that makes new convolutions at every step has a feed-forward network of `calls` times the
    parameters. The BatchNorm is shared as the convolution is (`shared`, as published), keeps
    statistics of its own for each step, or is one of its own for each step (`own`).
    """
    conv = convolution_layer(rank, filters, name=f"{name}_conv")
    normalise = _NORMS[norm](calls, f"{name}_norm")

    def unit(x: keras.KerasTensor, step: int) -> keras.KerasTensor:
        return layers.Activation("relu", name=f"{name}_relu{step}")(normalise(conv(x), step))

    return unit


def _shared(calls: int, name: str) -> Unit:
    layer = batch_norm_layer(name=name)
    return lambda x, step: layer(x)


def _own_statistics(calls: int, name: str) -> Unit:
    layer = SteppedBatchNormalization(calls, momentum=MOMENTUM, name=name)
    return lambda x, step: layer(x, step=step)


def _own(calls: int, name: str) -> Unit:
    each = [batch_norm_layer(name=f"{name}{step}") for step in range(calls)]
    return lambda x, step: each[step](x)


_NORMS = dict(zip(NORMS, (_shared, _own_statistics, _own), strict=True))


def recurrent(
    x: keras.KerasTensor, filters: int, steps: int, *, name: str, norm: str = "shared"
) -> keras.KerasTensor:
    """Apply one shared unit `steps + 1` times: y = u(x), then `steps` times y = u(x + y)."""
    unit = shared_unit(rank_of(x), filters, steps + 1, name=name, norm=norm)
    y = unit(x, 0)
    for step in range(1, steps + 1):
        y = unit(layers.Add(name=f"{name}_add{step}")([x, y]), step)
    return y


def recurrent_residual(
    x: keras.KerasTensor, filters: int, steps: int, *, name: str, norm: str = "shared"
) -> keras.KerasTensor:
    """Project 1x1, recur in two shared units, add the projection back (R2U-Net, figure 4d)."""
    start = y = convolution(x, filters, 1, name=f"{name}_project")
    for turn in range(2):
        y = recurrent(y, filters, steps, name=f"{name}_unit{turn}", norm=norm)
    return layers.Add(name=name)([start, y])


def unrolled(x: keras.KerasTensor, filters: int, *, name: str) -> keras.KerasTensor:
    """Convolve where a recurrence would call itself: four times, no weight shared, twice added."""
    shortcut = x
    if x.shape[-1] != filters:
        shortcut = convolution(x, filters, 1, name=f"{name}_project")
    for turn in range(2):
        x = conv_relu(x, filters, name=f"{name}_{turn}a", norm=False)
        x = conv_relu(x, filters, name=f"{name}_{turn}b", norm=False)
        x = layers.Add(name=f"{name}_{turn}_add")([x, shortcut])
    return x
