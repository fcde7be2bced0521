"""Strided convolution over blocks against Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from zoo.blocks.blocked import BlockedConv2D, BlockedConv3D

FORMS = [
    (BlockedConv2D, layers.Conv2D, (2, 22, 38, 3), 7, 4),
    (BlockedConv2D, layers.Conv2D, (2, 10, 18, 3), 3, 2),
    (BlockedConv2D, layers.Conv2D, (2, 32, 16, 3), 16, 16),
    (BlockedConv3D, layers.Conv3D, (1, 10, 6, 8, 2), 3, 2),
    (BlockedConv3D, layers.Conv3D, (1, 8, 4, 8, 2), 4, 4),
]


def answered(layer, x):
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = keras.ops.sum(keras.ops.sin(y))
    return y, tape.gradient(loss, [weight.value for weight in layer.trainable_weights])


@pytest.mark.parametrize(("blocked", "plain", "shape", "kernel", "strides"), FORMS)
def test_blocks_give_the_same_answer_and_gradients(blocked, plain, shape, kernel, strides):
    x = np.random.default_rng(0).random(shape, "float32")
    ours, theirs = blocked(4, kernel, strides), plain(4, kernel, strides)
    y, gradients = answered(theirs, x)
    ours.build(shape)
    ours.set_weights(theirs.get_weights())
    found, same = answered(ours, x)
    np.testing.assert_allclose(found, y, rtol=1e-5, atol=1e-5)
    for one, other in zip(same, gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
