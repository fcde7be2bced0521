"""`make perf-blocks`: the zoo's depthwise convolution and norms against Keras' plain forms.

Medians of the time of one call and of its gradients, by turns, so that a busy machine slows all of
them alike; what is printed is a ratio.
"""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from benchmarks.backends import device
from zoo.blocks.depthwise import DepthwiseConvolution
from zoo.blocks.normalisation import SampleNormalization

ROUNDS = 7
SHAPE = (2, 16, 16, 16, 32)


def main() -> None:
    """Print a line for each block: its plain form, and times as multiples of its own."""
    device.start()
    pairs: list[tuple[str, layers.Layer, layers.Layer]] = [
        ("depthwise 3x3x3 / Conv3D(groups=32)", DepthwiseConvolution(3), grouped()),
        ("depthwise 3x3x3 / dense Conv3D", DepthwiseConvolution(3), dense()),
        ("instance norm / GroupNormalization(32)", SampleNormalization(32), group(32)),
        ("group norm of 8 / GroupNormalization(8)", SampleNormalization(8), group(8)),
        (
            "instance norm / BatchNormalization",
            SampleNormalization(32),
            layers.BatchNormalization(),
        ),
    ]
    print(f"{SHAPE}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for title, ours, plain in pairs:
        told = [ratio(call(ours, training), call(plain, training)) for training in (False, True)]
        print(f"{title}: forward {told[0]:.3f}, with gradients {told[1]:.3f}")


def grouped() -> layers.Layer:
    """Return the plain form of a depthwise convolution of volumes."""
    return layers.Conv3D(SHAPE[-1], 3, padding="same", groups=SHAPE[-1])


def dense() -> layers.Layer:
    """Return a convolution of all channels."""
    return layers.Conv3D(SHAPE[-1], 3, padding="same")


def group(groups: int) -> layers.Layer:
    """Return Keras' own normalisation."""
    return layers.GroupNormalization(groups, epsilon=1e-5)


def call(layer: layers.Layer, training: bool) -> Callable[[], Any]:
    """Return a compiled call of a layer, with its gradients where it trains."""
    import tensorflow as tf

    if not layer.built:
        layer.build(SHAPE)
    x = tf.constant(np.random.default_rng(0).normal(size=SHAPE).astype("float32"))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training) if accepts_training(layer) else layer(x)
            loss = keras.ops.sum(y * y)
        if not training:
            return y
        return tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_weights)])

    step()
    return step


def accepts_training(layer: layers.Layer) -> bool:
    """Say whether a layer computes otherwise while it trains."""
    return isinstance(layer, layers.BatchNormalization)


def ratio(ours: Callable[[], Any], plain: Callable[[], Any]) -> float:
    """Return the median of ours over plain, timed by turns."""
    return statistics.median(seconds(ours) / seconds(plain) for _ in range(ROUNDS))


def seconds(step: Callable[[], Any]) -> float:
    """Time the processor's work on a call."""
    started = time.process_time()
    step()
    return time.process_time() - started


if __name__ == "__main__":
    main()
