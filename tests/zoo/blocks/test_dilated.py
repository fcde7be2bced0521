"""The zoo's dilated convolution against Keras' own, which computes every tap."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from zoo.blocks.dilated import DilatedConv2D, DilatedConv3D

SIDES = [(4, 4), (5, 13), (7, 1), (8, 8), (20, 19)]


@pytest.mark.parametrize("rate", [1, 2, 6, 12, 18])
@pytest.mark.parametrize("sides", SIDES)
def test_it_answers_as_keras_does(sides, rate):
    image = np.random.default_rng(0).normal(size=(2, *sides, 3)).astype(np.float32)
    plain = layers.Conv2D(4, 3, padding="same", dilation_rate=rate)
    ours = DilatedConv2D(4, 3, padding="same", dilation_rate=rate)
    expected = plain(image)
    ours.build(image.shape)
    ours.set_weights(plain.get_weights())
    np.testing.assert_allclose(ours(image), expected, atol=1e-5)


def test_it_answers_as_keras_does_in_three_dimensions():
    image = np.random.default_rng(0).normal(size=(1, 3, 9, 6, 2)).astype(np.float32)
    plain = layers.Conv3D(2, 5, padding="same", dilation_rate=4)
    ours = DilatedConv3D(2, 5, padding="same", dilation_rate=4)
    expected = plain(image)
    ours.build(image.shape)
    ours.set_weights(plain.get_weights())
    np.testing.assert_allclose(ours(image), expected, atol=1e-5)


def test_sides_that_are_not_known_keep_every_tap():
    layer = DilatedConv2D(1, 3, padding="same", dilation_rate=3)
    answer = layer(keras.Input((None, None, 1)))
    assert answer.shape == (None, None, None, 1)
    network = keras.Sequential([keras.Input((None, None, 1)), layer])
    image = np.random.default_rng(0).normal(size=(1, 9, 2, 1)).astype(np.float32)
    expected = ops.conv(image, layer.kernel, padding="same", dilation_rate=3) + layer.bias
    np.testing.assert_allclose(network(image), expected, atol=1e-5)
