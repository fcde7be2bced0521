"""Convolutions that see few channels at a time, without the kernels that are slow at it.

Keras has no depthwise convolution of volumes, and one with as many groups as channels is fifty
times slower than a dense one on TensorFlow's CPU kernels. A volume is a stack of slices: its k x k
x k depthwise convolution is k depthwise convolutions of slices, shifted in depth and added.
"""

import keras
from keras import layers, ops

from zoo.blocks.flipping import flipped


@keras.saving.register_keras_serializable("gliozoo")
class DepthwiseConvolution(layers.Layer):
    """Convolve each channel on its own, in 2D and 3D, with an odd kernel centred on even places.

    Centred as PyTorch's `padding=k // 2` is, whatever the stride. `spread` makes it the transposed
    convolution of stride 2: zeros between the values first, 2n - 1 for n, and the kernel mirrored.
    """

    def __init__(self, size: int, strides: int = 1, spread: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.strides = strides
        self.spread = spread

    def build(self, input_shape):
        """Make one kernel and one bias a channel."""
        *_, channels = input_shape
        shape = (*(self.size,) * (len(input_shape) - 2), channels, 1)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=_he_normal)
        self.bias = self.add_weight(name="bias", shape=(channels,), initializer="zeros")

    def call(self, x):
        """Convolve slices or volumes."""
        kernel = ops.cast(self.kernel, self.compute_dtype)
        if self.spread:
            x, kernel = _spread(x), flipped(kernel, range(len(x.shape) - 2))
        convolve = self._slices if len(x.shape) == 4 else self._volumes
        return convolve(x, kernel) + ops.cast(self.bias, self.compute_dtype)

    def _slices(self, x, kernel):
        if self.strides == 1:
            return ops.depthwise_conv(x, kernel, padding="same")
        margin = [(self.size // 2, self.size // 2)] * 2
        x = ops.pad(x, [(0, 0), *margin, (0, 0)])
        return ops.depthwise_conv(x, kernel, strides=self.strides, padding="valid")

    def _volumes(self, x, kernel):
        """Add up the taps in depth; each has the slices that it reaches, and nothing else."""
        depth, stride = x.shape[1], self.strides
        total = None
        for tap in range(self.size):
            first, last = reach(depth, self.size, tap, stride)
            if last < first:
                continue
            start = first * stride + tap - self.size // 2
            taken = x[:, start : start + (last - first) * stride + 1 : stride]
            flat = ops.reshape(taken, (-1, *taken.shape[2:]))
            flat = self._slices(flat, kernel[tap])
            part = ops.reshape(flat, (-1, last - first + 1, *flat.shape[1:]))
            after = -(-depth // stride) - 1 - last
            part = ops.pad(part, [(0, 0), (first, after), (0, 0), (0, 0), (0, 0)])
            total = part if total is None else total + part
        return total

    def compute_output_shape(self, input_shape):
        """Divide the sides by the stride, or spread them."""
        batch, *sides, channels = input_shape
        sides = [2 * side - 1 if self.spread else -(-side // self.strides) for side in sides]
        return (batch, *sides, channels)

    def get_config(self):
        """Return the arguments of the constructor."""
        own = {"size": self.size, "strides": self.strides, "spread": self.spread}
        return super().get_config() | own


def reach(depth: int, size: int, tap: int, stride: int) -> tuple[int, int]:
    """Return the first and the last output that a tap meets an input from."""
    offset = tap - size // 2
    return max(0, -(offset // stride)), min(-(-depth // stride) - 1, (depth - 1 - offset) // stride)


def _he_normal(shape, dtype=None):
    """Draw as for a dense kernel of one input channel: Keras would count them all."""
    *taps, channels, _ = shape
    return ops.reshape(keras.initializers.HeNormal()((*taps, 1, channels), dtype), shape)


def _spread(x):
    """Put a zero between each two neighbours, along every side."""
    for axis in range(1, len(x.shape) - 1):
        side = x.shape[axis]
        pairs = ops.stack([x, ops.zeros_like(x)], axis=axis + 1)
        merged = (-1, *x.shape[1:axis], 2 * side, *x.shape[axis + 1 :])
        x = ops.take(ops.reshape(pairs, merged), range(2 * side - 1), axis=axis)
    return x


def depthwise(
    x: keras.KerasTensor, size: int, *, name: str, strides: int = 1, spread: bool = False
) -> keras.KerasTensor:
    """Convolve each channel on its own."""
    return DepthwiseConvolution(size, strides, spread, name=name)(x)


class Halved:
    """Convolves each half of the channels on its own: two dense convolutions, a quarter each."""

    def convolution_op(self, inputs, kernel):
        """Split channels and filters; `groups` of Keras would compile it anew, and slowly."""
        parts = zip(ops.split(inputs, 2, axis=-1), ops.split(kernel, 2, axis=-1), strict=True)
        return ops.concatenate([ops.conv(x, part, padding="same") for x, part in parts], axis=-1)


@keras.saving.register_keras_serializable("gliozoo")
class HalvedConv2D(Halved, layers.Conv2D):
    """`Conv2D` of two groups, stride 1 and 'same' padding."""


@keras.saving.register_keras_serializable("gliozoo")
class HalvedConv3D(Halved, layers.Conv3D):
    """`Conv3D` of two groups, stride 1 and 'same' padding."""


def halved_convolution(x: keras.KerasTensor, filters: int, *, name: str) -> keras.KerasTensor:
    """Convolve 3x3(x3) in two groups."""
    settings = {"padding": "same", "groups": 2, "kernel_initializer": "he_normal", "name": name}
    if len(x.shape) == 4:
        return HalvedConv2D(filters, 3, **settings)(x)
    return HalvedConv3D(filters, 3, **settings)(x)
