"""Linear interpolation to any size, in two and three dimensions."""

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable("gliozoo")
class LinearResize(layers.Layer):
    """Interpolate to given sides, at half-pixel centres: PyTorch's without aligned corners."""

    def __init__(self, sides: tuple[int, ...], **kwargs):
        super().__init__(**kwargs)
        self.sides = tuple(sides)

    def call(self, x):
        """Interpolate along one axis after the other."""
        for axis, side in enumerate(self.sides, start=1):
            if x.shape[axis] != side:
                x = self._along(x, axis, side)
        return x

    @staticmethod
    def _along(x, axis: int, side: int):
        below, above, share = neighbours(x.shape[axis], side)
        share = ops.cast(share.reshape(-1, *(1,) * (len(x.shape) - axis - 1)), x.dtype)
        before, after = (ops.take(x, places, axis=axis) for places in (below, above))
        return before + share * (after - before)

    def compute_output_shape(self, input_shape):
        """Return the sides asked for."""
        return (input_shape[0], *self.sides, input_shape[-1])

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"sides": self.sides}


def neighbours(before: int, after: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each new position the two old ones beside it, and the share of the second."""
    places = np.clip((np.arange(after) + 0.5) * before / after - 0.5, 0, before - 1)
    below = places.astype(int)
    return below, np.minimum(below + 1, before - 1), places - below


def resize_linear(x: keras.KerasTensor, sides: tuple[int, ...], *, name: str) -> keras.KerasTensor:
    """Interpolate to given sides."""
    return LinearResize(tuple(sides), name=name)(x)
