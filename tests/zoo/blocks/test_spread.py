"""1x1 convolutions of stride 2, transposed or not: answers, and the gradients of their kernels."""

import keras
import numpy as np
import tensorflow as tf

from zoo.blocks.convolution import ThinnedConv2D, convolution_layer
from zoo.blocks.sampling import SpreadConv2D


def test_it_sets_the_results_of_a_convolution_apart_and_its_gradients_follow():
    random = np.random.default_rng(0)
    images = random.normal(size=(2, 16, 16, 8)).astype("float32")
    layer = SpreadConv2D(4, 1, 2, padding="same")
    layer.build(images.shape)
    for weight in layer.weights:
        weight.assign(random.normal(size=weight.shape))
    with tf.GradientTape() as tape:
        answer = layer(images)
        total = keras.ops.sum(answer**2) / 2
    kernel, bias = (np.asarray(weight.value) for weight in layer.weights)
    expected = np.broadcast_to(bias, (2, 32, 32, 4)).copy()
    expected[:, ::2, ::2] += images @ kernel[0, 0].T
    np.testing.assert_allclose(answer, expected, atol=1e-5)
    gradients = tape.gradient(total, [weight.value for weight in layer.weights])
    by_hand = np.einsum("bhwo,bhwi->oi", expected[:, ::2, ::2], images)
    np.testing.assert_allclose(gradients[0][0, 0], by_hand, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(gradients[1], expected.sum((0, 1, 2)), rtol=1e-4, atol=1e-2)


def test_it_takes_the_places_that_a_stride_reads_and_its_gradients_follow():
    random = np.random.default_rng(0)
    images = random.normal(size=(2, 16, 17, 5)).astype("float32")
    layer = convolution_layer(2, 7, 1, strides=2, name="few")
    assert isinstance(layer, ThinnedConv2D)
    layer.build(images.shape)
    with tf.GradientTape() as tape:
        answer = layer(images)
        total = keras.ops.sum(answer**2) / 2
    kernel = np.asarray(layer.kernel.value)
    expected = images[:, ::2, ::2] @ kernel[0, 0]
    np.testing.assert_allclose(answer, expected, atol=1e-5)
    assert layer.compute_output_shape(images.shape) == expected.shape
    gradient = tape.gradient(total, layer.kernel.value)
    by_hand = np.einsum("bhwi,bhwo->io", images[:, ::2, ::2], expected)
    np.testing.assert_allclose(gradient[0, 0], by_hand, rtol=1e-4, atol=1e-3)
