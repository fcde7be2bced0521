"""Blocks against closed forms and against numpy."""

import keras
import numpy as np
import pytest
from keras import layers
from scipy import ndimage

from zoo.blocks.attention import additive_gate, spatial_attention
from zoo.blocks.convolution import batch_norm_layer
from zoo.blocks.recurrent import recurrent
from zoo.blocks.sampling import TrilinearDoubling, up_linear


def noise(*shape) -> np.ndarray:
    return np.random.default_rng(0).random(shape, "float32")


def test_trilinear_doubling_is_linear_interpolation_at_half_pixel_centres():
    x = noise(1, 3, 4, 5, 2)
    ours = np.asarray(TrilinearDoubling()(x))
    axes = [np.clip((np.arange(2 * n) + 0.5) / 2 - 0.5, 0, n - 1) for n in (3, 4, 5)]
    grid = np.meshgrid(*axes, indexing="ij")
    for channel in range(2):
        reference = ndimage.map_coordinates(x[0, ..., channel], grid, order=1)
        np.testing.assert_allclose(ours[0, ..., channel], reference, atol=1e-6)


def test_trilinear_doubling_of_a_thick_slice_equals_bilinear_upsampling():
    x = noise(1, 6, 5, 3)
    volume = np.repeat(x[:, None], 2, axis=1)
    image = layers.UpSampling2D(2, interpolation="bilinear")(x)
    np.testing.assert_allclose(TrilinearDoubling()(volume)[:, 1], image, atol=1e-6)
    assert TrilinearDoubling().compute_output_shape((None, 2, 6, 5, 3)) == (None, 4, 12, 10, 3)


@pytest.mark.parametrize("shape", [(8, 8, 2), (4, 4, 4, 2)])
def test_up_linear_doubles_in_any_rank(shape):
    inputs = keras.Input(shape)
    assert up_linear(inputs, name="up").shape == (None, *(2 * s for s in shape[:-1]), 2)


def test_a_recurrent_block_computes_its_recurrence():
    """y = u(x), then t times y = u(x + y), by hand with a 3x3 kernel that only its centre fills."""
    inputs = keras.Input((1, 1, 1))
    model = keras.Model(inputs, recurrent(inputs, 1, 3, name="unit"))
    gain, shift = 0.5, 0.25
    kernel = np.zeros((3, 3, 1, 1), "float32")
    kernel[1, 1] = gain
    model.get_layer("unit_conv").set_weights([kernel, np.array([shift], "float32")])
    scale = 1 / np.sqrt(1 + model.get_layer("unit_norm").epsilon)
    y = scale * (gain * 2 + shift)
    for _ in range(3):
        y = scale * (gain * (2 + y) + shift)
    output = np.asarray(model(np.full((1, 1, 1, 1), 2, "float32")))
    np.testing.assert_allclose(output.item(), y, rtol=1e-6)


def test_a_gate_multiplies_the_skip_by_one_weight_a_position():
    keras.utils.set_random_seed(0)  # some initial weights leave every rectifier shut
    skip, signal = keras.Input((4, 4, 6)), keras.Input((4, 4, 3))
    model = keras.Model([skip, signal], additive_gate(skip, signal, 8, name="gate"))
    values = noise(1, 4, 4, 6) + 0.5
    weight = np.asarray(model([values, noise(1, 4, 4, 3)])) / values
    np.testing.assert_allclose(weight, np.broadcast_to(weight[..., :1], weight.shape), rtol=1e-5)
    assert 0 < weight.min() < weight.max() < 1


@pytest.mark.parametrize("mean_first", [True, False])
def test_spatial_attention_orders_mean_and_maximum_as_asked(mean_first):
    inputs = keras.Input((3, 3, 4))
    model = keras.Model(inputs, spatial_attention(inputs, name="a", mean_first=mean_first))
    kernel = np.zeros((7, 7, 2, 1), "float32")
    kernel[3, 3, 0] = 1
    model.get_layer("a_conv").set_weights([kernel])
    x = noise(1, 3, 3, 4)
    pooled = x.mean(-1, keepdims=True) if mean_first else x.max(-1, keepdims=True)
    np.testing.assert_allclose(model(x), x / (1 + np.exp(-pooled)), rtol=1e-5)


def test_batch_norm_is_as_cards_of_canonical_networks_say():
    """Epsilon 1e-3, and moving statistics of the batch itself, not of a sample."""
    layer = batch_norm_layer(name="norm")
    x = noise(2, 3, 4, 5)
    layer(x, training=True)
    assert layer.epsilon == 1e-3
    moved = 0.9 * 1.0 + 0.1 * x.var((0, 1, 2))  # numpy divides by n
    np.testing.assert_allclose(layer.moving_variance, moved, rtol=1e-5)
