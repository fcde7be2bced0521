"""Normalisation within a sample against Keras' own and against its definition."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from zoo.blocks.normalisation import SampleNormalization, group_norm, instance_norm


def noise(*shape) -> np.ndarray:
    return np.random.default_rng(0).normal(3, 2, size=shape).astype("float32")


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("sides", [(5, 6), (3, 4, 5)])
def test_it_answers_as_keras_group_normalization(sides, groups):
    image = noise(2, *sides, 6) * np.arange(1, 7, dtype="float32")
    ours, plain = SampleNormalization(groups), layers.GroupNormalization(groups, epsilon=1e-5)
    for layer in (ours, plain):
        layer.build(image.shape)
        layer.set_weights([noise(6), noise(6)])
    np.testing.assert_allclose(ours(image), plain(image), rtol=1e-4, atol=1e-4)


def test_every_channel_of_every_sample_ends_at_mean_0_and_deviation_1():
    answer = np.asarray(SampleNormalization(4)(noise(3, 8, 8, 4)))
    np.testing.assert_allclose(answer.mean((1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(answer.std((1, 2)), 1, atol=1e-4)


def test_statistics_are_float32_under_mixed_precision():
    layer = SampleNormalization(2, dtype="mixed_float16")
    image = (noise(1, 64, 64, 2) + 60_000 / 8).astype("float16")  # their sum overflows float16
    answer = layer(image)
    assert keras.backend.standardize_dtype(answer.dtype) == "float16"
    assert np.isfinite(np.asarray(answer)).all()


def test_a_narrow_network_has_fewer_groups():
    image = keras.Input((8, 8, 12))
    assert keras.Model(image, group_norm(image, 8, name="norm")).get_layer("norm").groups == 4
    assert keras.Model(image, instance_norm(image, name="norm")).get_layer("norm").groups == 12


def test_groups_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="4 groups do not divide 6 channels"):
        SampleNormalization(4).build((None, 8, 8, 6))


@pytest.mark.parametrize("groups", [2, 6])
def test_no_gradient_passes_where_there_is_nothing_to_normalise(groups):
    """Of three samples the second is empty; the others' gradients are Keras' own."""
    image = tf.constant(noise(3, 5, 6, 6) * np.array([1, 0, 1], "float32").reshape(3, 1, 1, 1))
    ours, plain = SampleNormalization(groups), layers.GroupNormalization(groups, epsilon=1e-5)
    found = []
    for layer in (ours, plain):
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = tf.reduce_sum(layer(image) * noise(3, 5, 6, 6))
        found.append(tape.gradient(loss, image).numpy())
    np.testing.assert_allclose(found[0][::2], found[1][::2], rtol=1e-3, atol=1e-3)
    assert not found[0][1].any()
    assert np.abs(found[1][1]).max() > 100  # 316 times what comes in
