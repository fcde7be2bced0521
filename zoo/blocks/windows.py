"""Self-attention within windows that shift from block to block (Liu et al. 2021, section 3.2)."""

import functools
import itertools
import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

FAR = -100.0  # added to what may not be attended to


def fitted(
    sides: tuple[int, ...], window: int, shifted: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return a window and a shift a side; a side within one window is one, and does not shift."""
    windows = tuple(min(window, side) for side in sides)
    shifts = tuple(window // 2 * (shifted and side > window) for side in sides)
    return windows, shifts


def padded(sides: tuple[int, ...], windows: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sides, up to whole windows."""
    return tuple(-(-side // window) * window for side, window in zip(sides, windows, strict=True))


class _Windowed(layers.Layer):
    """Knows its windows from the sides that it was made for."""

    def __init__(self, sides: tuple[int, ...], window: int = 7, shifted: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.sides, self.window, self.shifted = tuple(sides), window, shifted
        self.windows, self.shifts = fitted(self.sides, window, shifted)
        self.padded = padded(self.sides, self.windows)
        self.counts = [n // size for n, size in zip(self.padded, self.windows, strict=True)]
        rank = len(self.sides)
        pairs = [(1 + 2 * axis, 2 + 2 * axis) for axis in range(rank)]
        self.order = (0, *(a for a, _ in pairs), *(b for _, b in pairs), 1 + 2 * rank)
        self.split = [n for pair in zip(self.counts, self.windows, strict=True) for n in pair]

    def get_config(self):
        """Return the arguments of the constructor."""
        own = {"sides": self.sides, "window": self.window, "shifted": self.shifted}
        return super().get_config() | own


def _rolled(x, shifts: Sequence[int]):
    """Roll each side by its shift, in slices: LiteRT has no roll of its own."""
    for axis, shift in enumerate(shifts, start=1):
        if shift:
            cut, before = -shift % x.shape[axis], (slice(None),) * axis
            x = ops.concatenate([x[(*before, slice(cut, None))], x[(*before, slice(cut))]], axis)
    return x


@keras.saving.register_keras_serializable("gliozoo")
class Partition(_Windowed):
    """Cut an image into windows: (batch, *sides, channels) to (batch, windows, places, channels).

    Zeros behind fill the last windows.
    """

    def call(self, x):
        """Pad, roll, cut."""
        behind = [(0, n - side) for n, side in zip(self.padded, self.sides, strict=True)]
        x = ops.pad(x, [(0, 0), *behind, (0, 0)]) if any(map(sum, behind)) else x
        x = _rolled(x, [-shift for shift in self.shifts])
        x = ops.reshape(x, (-1, *self.split, x.shape[-1]))
        x = ops.transpose(x, self.order)
        return ops.reshape(x, (-1, *self.compute_output_shape(x.shape)[1:]))

    def compute_output_shape(self, input_shape):
        """Return windows and their places."""
        return (input_shape[0], math.prod(self.counts), math.prod(self.windows), input_shape[-1])


@keras.saving.register_keras_serializable("gliozoo")
class Reunion(_Windowed):
    """Put the windows of `Partition` together again, and leave what filled them."""

    def call(self, x):
        """Paste, roll back, crop."""
        x = ops.reshape(x, (-1, *self.counts, *self.windows, x.shape[-1]))
        x = ops.transpose(x, np.argsort(self.order).tolist())
        x = ops.reshape(x, (-1, *self.padded, x.shape[-1]))
        x = _rolled(x, self.shifts)
        return x[(slice(None), *(slice(side) for side in self.sides))]

    def compute_output_shape(self, input_shape):
        """Return the image."""
        return (input_shape[0], *self.sides, input_shape[-1])


@keras.saving.register_keras_serializable("gliozoo")
class WindowAttention(_Windowed):
    """Let each place of a window attend to the others, biased by where they lie to each other.

    Takes queries, keys and values side by side, of all heads. In shifted windows places that are
    no neighbours in the image do not see each other.
    """

    def __init__(self, sides, window=7, shifted=False, heads: int = 1, **kwargs):
        super().__init__(sides, window, shifted, **kwargs)
        self.heads = heads

    def build(self, input_shape):
        """Make a bias for each offset within a full window, whatever windows there are."""
        offsets = (2 * self.window - 1) ** len(self.sides)
        initial = keras.initializers.TruncatedNormal(stddev=0.02)
        self.table = self.add_weight(name="table", shape=(offsets, self.heads), initializer=initial)

    def call(self, x):
        """Attend: softmax(q k / sqrt(width) + bias + mask) v, a head at a time."""
        query, key, value = self._heads(x)
        scores = ops.matmul(query * query.shape[-1] ** -0.5, ops.swapaxes(key, -1, -2))
        scores = scores + ops.cast(self._bias(), scores.dtype)
        if any(self.shifts):
            part = ops.convert_to_tensor(parts(self.padded, self.windows, self.shifts))
            together = ops.equal(part[:, None, :, None], part[:, None, None])
            scores = ops.where(together, scores, scores + FAR)
        x = ops.swapaxes(ops.matmul(ops.softmax(scores), value), 2, 3)
        return ops.reshape(x, (-1, *x.shape[1:3], x.shape[3] * x.shape[4]))

    def _heads(self, x):
        """Return queries, keys and values as (batch, windows, heads, places, width)."""
        _, count, places, channels = x.shape
        by_head = (-1, count, places, self.heads, channels // 3 // self.heads)
        thirds = ops.split(x, 3, axis=-1)
        return [ops.swapaxes(ops.reshape(third, by_head), 2, 3) for third in thirds]

    def _bias(self):
        """Return the bias of each pair of places, by head."""
        count = math.prod(self.windows)
        index = offsets_of(self.window, len(self.sides))[:count, :count]
        # By columns: TensorFlow's gradient of taken rows is sparse, and optimisers are slow on it.
        bias = ops.take(ops.transpose(self.table), index.reshape(-1), axis=1)
        return ops.reshape(bias, (self.heads, count, count))

    def compute_output_shape(self, input_shape):
        """Return a third of the channels: values alone."""
        return (*input_shape[:-1], input_shape[-1] // 3)

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"heads": self.heads}


def offsets_of(window: int, rank: int) -> np.ndarray:
    """Number the offset between any two places of a window."""
    places = np.array([*itertools.product(range(window), repeat=rank)])
    apart = places[:, None] - places[None] + window - 1
    return np.ravel_multi_index(tuple(np.moveaxis(apart, -1, 0)), (2 * window - 1,) * rank)


def parts(sides: tuple[int, ...], windows: tuple[int, ...], shifts: tuple[int, ...]) -> np.ndarray:
    """Number the parts that rolling brought together in a window: (windows, places)."""
    numbers = []
    for side, window, shift in zip(sides, windows, shifts, strict=True):
        place = np.arange(side)
        numbers.append((place >= side - window).astype("int32"))
        if shift:
            numbers[-1] += place >= side - shift
    grids = np.ix_(*[number * 3**axis for axis, number in enumerate(numbers)])
    part = functools.reduce(np.add, grids)
    cut = [n for side, size in zip(sides, windows, strict=True) for n in (side // size, size)]
    axes = [*range(0, 2 * len(sides), 2), *range(1, 2 * len(sides), 2)]
    return part.reshape(cut).transpose(axes).reshape(-1, math.prod(windows))
