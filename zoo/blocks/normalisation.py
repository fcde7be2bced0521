"""Normalisation within one sample: over a channel's positions, or those of a group of channels.

Nothing is kept for inference, so that training and inference compute the same.

Where a channel of a sample is constant there is nothing to normalise, and no gradient passes: of an
empty slice each layer would make it 1 / sqrt(epsilon) = 316 times as large, with no use to anyone.
It grows to 1e15 in `nnunet` and beyond float32 in `mednext`, as in PyTorch; clipped by its norm, a
batch with one empty slice then learns from that slice alone.
"""

import math

import keras
from keras import layers, ops

EPSILON = 1e-5  # PyTorch's, with which the networks that use it were published


@keras.saving.register_keras_serializable("gliozoo")
class SampleNormalization(layers.Layer):
    """Group normalisation out of the channels' own statistics; one group a channel is an instance.

    `layers.GroupNormalization` folds the groups into axes of their own and passes over the result
    again and again. A group's mean and variance follow from its channels', which are a few numbers:
    variance = mean of the channels' variances + variance of their means.
    """

    def __init__(self, groups: int, epsilon: float = EPSILON, affine: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.groups = groups
        self.epsilon = epsilon
        self.affine = affine

    def build(self, input_shape):
        """Make a factor and an offset a channel, unless there are none to learn."""
        channels = input_shape[-1]
        if channels % self.groups:
            raise ValueError(f"{self.groups} groups do not divide {channels} channels.")
        if self.affine:
            self.gamma = self.add_weight(name="gamma", shape=(channels,), initializer="ones")
            self.beta = self.add_weight(name="beta", shape=(channels,), initializer="zeros")

    def call(self, x):
        """Centre, scale and shift; the statistics are at least float32 whatever the policy."""
        axes = tuple(range(1, len(x.shape) - 1))
        precision = keras.backend.result_type(x.dtype, "float32")
        wide = ops.cast(x, precision)
        mean = ops.mean(wide, axis=axes, keepdims=True)
        variance = ops.mean(ops.square(wide - mean), axis=axes, keepdims=True)
        if self.groups != x.shape[-1]:
            centre = self._over_groups(mean)
            variance = self._over_groups(variance + ops.square(mean - centre))
            mean = centre
        factor = ops.where(variance > 0, ops.rsqrt(variance + self.epsilon), 0.0)
        if not self.affine:
            return ops.cast((wide - mean) * factor, self.compute_dtype)
        gamma, beta = (ops.cast(weight, precision) for weight in (self.gamma, self.beta))
        factor = gamma * factor
        return ops.cast(wide * factor + (beta - mean * factor), self.compute_dtype)

    def _over_groups(self, values):
        """Replace each channel's number by the mean of its group."""
        size = values.shape[-1] // self.groups
        shape = (-1, *values.shape[1:-1], self.groups, size)
        means = ops.mean(ops.reshape(values, shape), axis=-1)
        return ops.repeat(means, size, axis=-1)

    def compute_output_shape(self, input_shape):
        """Keep the shape."""
        return input_shape

    def get_config(self):
        """Return the arguments of the constructor."""
        own = {"groups": self.groups, "epsilon": self.epsilon, "affine": self.affine}
        return super().get_config() | own


def instance_norm(x: keras.KerasTensor, *, name: str, affine: bool = True) -> keras.KerasTensor:
    """Normalise each channel of each sample."""
    return SampleNormalization(x.shape[-1], affine=affine, name=name)(x)


def group_norm(x: keras.KerasTensor, groups: int, *, name: str) -> keras.KerasTensor:
    """Normalise groups of channels; fewer groups where a narrow network has fewer channels."""
    return SampleNormalization(math.gcd(groups, x.shape[-1]), name=name)(x)
