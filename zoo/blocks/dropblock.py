"""DropBlock (Ghiasi et al. 2018) in 2D and 3D."""

import math

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("gliozoo")
class DropBlock(layers.Layer):
    """Zero contiguous blocks of each channel while training; pass everything otherwise.

    Block seeds fall where a whole block fits (the paper's valid region), one draw per channel,
    at the rate gamma = (1 - keep) / block * positions / valid positions. What is kept is rescaled
    by total / kept. A side shorter than the block shrinks the block.
    """

    def __init__(self, keep: float = 0.9, block: int = 7, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.keep = keep
        self.block = block
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x, training=False):
        """Drop blocks while training."""
        if not training or self.keep >= 1:
            return x
        kept = 1 - self._blocks(x)
        # In float32: a float16 mean of many positions overflows on its way.
        scale = 1 / ops.maximum(ops.mean(kept), keras.config.epsilon())
        return x * ops.cast(kept * scale, x.dtype)

    def _blocks(self, x):
        """Draw a map that is 1 inside of dropped blocks."""
        batch, *sides, channels = ops.shape(x)
        block = tuple(min(self.block, side or self.block) for side in x.shape[1:-1])
        valid = [side - length + 1 for side, length in zip(sides, block, strict=True)]
        gamma = (1 - self.keep) / math.prod(block) * math.prod(sides) / math.prod(valid)
        draws = keras.random.uniform((batch, *valid, channels), seed=self.seed_generator)
        seeds = ops.cast(draws < gamma, "float32")
        margin = [(length - 1, length - 1) for length in block]
        return _spread(ops.pad(seeds, [(0, 0), *margin, (0, 0)]), block)

    def compute_output_shape(self, input_shape):
        """Keep the shape."""
        return input_shape

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"keep": self.keep, "block": self.block, "seed": self.seed}


def _spread(x, block: tuple[int, ...]):
    """Return the maximum over every block that fits, as max pooling with stride 1 does.

    One side at a time, and over spans that double: hundreds of times faster than pooling a volume.
    """
    for axis, length in enumerate(block, 1):
        before = (slice(None),) * axis
        span = 1
        while span < length:
            step = min(span, length - span)
            x = ops.maximum(x[(*before, slice(None, -step))], x[(*before, slice(step, None))])
            span += step
    return x
