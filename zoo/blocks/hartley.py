"""The Hartley transform cut to its low frequencies, as one product with a small matrix a side.

A discrete Hartley transform sums x(n) cas(2 pi k.n / N) with cas = cos + sin. Over several sides
cas of a sum is no product, but half of a sum of products with some sides' frequencies negated
(Bracewell 1984). So every side is multiplied by a matrix of the frequencies that stay, -m to m, and
the few results are put together; no Fourier transform is needed, and frequencies that would be cut
are never computed.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from zoo.blocks.flipping import flipped


def waves(side: int, modes: int) -> np.ndarray:
    """Return cas(2 pi k n / side), a row each for k from -modes to modes."""
    turns = np.outer(np.arange(-modes, modes + 1), np.arange(side)) % side / side
    return np.cos(2 * np.pi * turns) + np.sin(2 * np.pi * turns)


def product(matrix: np.ndarray, x, axis: int):
    """Multiply one axis by a matrix, without moving it to the end."""
    shape = tuple(x.shape)
    before, behind = shape[1:axis], math.prod(shape[axis + 1 :])
    x = ops.reshape(x, (-1, shape[axis], behind))
    x = ops.matmul(ops.cast(matrix, x.dtype), x)
    return ops.reshape(x, (-1, *before, len(matrix), *shape[axis + 1 :]))


def combined(x):
    """Put frequencies of products of cas together into frequencies of cas of the sum.

    2 cas(a + b) = cas a cas b + cas -a cas b + cas a cas -b - cas -a cas -b; of three sides the
    first term is not there.
    """
    axes = tuple(range(1, len(x.shape) - 1))
    first, *others = (ops.flip(x, axis) for axis in axes)
    if len(axes) == 2:
        others.append(x)
    return 0.5 * (sum(others, start=first) - flipped(x, axes))


@keras.saving.register_keras_serializable("gliozoo")
class Hartley(layers.Layer):
    """Transform all sides, over their number of positions, and keep 2 m frequencies a side.

    They stand in the order -m to m - 1. A side shorter than 2 m has frequencies for as many.
    """

    def __init__(self, modes: tuple[int, ...], **kwargs):
        super().__init__(**kwargs)
        self.modes = tuple(modes)

    def call(self, x):
        """Multiply by a matrix a side, put together, leave the highest frequency."""
        sides = x.shape[1:-1]
        for axis, (side, modes) in enumerate(zip(sides, self._kept(sides), strict=True), start=1):
            x = product(waves(side, modes) / side, x, axis)
        return combined(x)[(slice(None), *(slice(-1) for _ in sides))]

    def _kept(self, sides: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(min(m, side // 2) for m, side in zip(self.modes, sides, strict=True))

    def compute_output_shape(self, input_shape):
        """Return two frequencies for each of the modes."""
        batch, *sides, channels = input_shape
        return (batch, *(2 * modes for modes in self._kept(tuple(sides))), channels)

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"modes": self.modes}


@keras.saving.register_keras_serializable("gliozoo")
class InverseHartley(layers.Layer):
    """Transform frequencies as `Hartley` leaves them back to given sides; what was cut is zero."""

    def __init__(self, sides: tuple[int, ...], **kwargs):
        super().__init__(**kwargs)
        self.sides = tuple(sides)

    def call(self, x):
        """Add the highest frequency, put together, multiply by a matrix a side."""
        kept = x.shape[1:-1]
        x = combined(ops.pad(x, [(0, 0), *((0, 1) for _ in kept), (0, 0)]))
        for axis in range(len(kept), 0, -1):
            x = product(waves(self.sides[axis - 1], kept[axis - 1] // 2).T, x, axis)
        return x

    def compute_output_shape(self, input_shape):
        """Return the sides asked for."""
        return (input_shape[0], *self.sides, input_shape[-1])

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"sides": self.sides}
