"""What a recurrent unit's BatchNorm keeps for inference: published, and as the variants mend it."""

import keras
import numpy as np
import pytest
from keras import layers

import zoo
from zoo.blocks.recurrent import NORMS, recurrent

STEPS = 2


def block(norm: str) -> keras.Model:
    """A recurrent unit whose moving statistics are those of the newest batch."""
    keras.utils.set_random_seed(3)
    image = layers.Input((8, 8, 4))
    model = keras.Model(image, recurrent(image, 4, STEPS, name="unit", norm=norm))
    for layer in normalisations(model):
        layer.momentum = 0.0
    return model


def normalisations(model) -> list:
    return [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]


@pytest.fixture(scope="module")
def batch():
    return np.random.default_rng(0).normal(size=(4, 8, 8, 4)).astype("float32")


@pytest.mark.parametrize("norm", NORMS)
def test_while_it_trains_the_norm_makes_no_difference(norm, batch):
    published = np.asarray(block("shared")(batch, training=True))
    np.testing.assert_allclose(np.asarray(block(norm)(batch, training=True)), published, atol=1e-6)


@pytest.mark.parametrize("norm", ["own_statistics", "own"])
def test_with_statistics_of_its_own_a_step_infers_what_it_trained(norm, batch):
    model = block(norm)
    trained = np.asarray(model(batch, training=True))
    np.testing.assert_allclose(np.asarray(model(batch, training=False)), trained, atol=1e-5)


def test_shared_statistics_are_those_of_the_last_step_alone(batch):
    model = block("shared")
    trained = np.asarray(model(batch, training=True))
    assert np.abs(np.asarray(model(batch, training=False)) - trained).max() > 0.1


@pytest.mark.parametrize("name", ["ar2_unet", "mod_r2au"])
def test_own_statistics_leave_what_is_trained_as_it_was(name):
    published = zoo.create(name, (32, 32, 3), 1, None, 0.125)
    mended = zoo.create(name, (32, 32, 3), 1, "own_statistics", 0.125)
    shapes = [[tuple(weight.shape) for weight in m.trainable_weights] for m in (published, mended)]
    assert shapes[0] == shapes[1]


def test_a_stepped_norm_keeps_every_steps_statistics_in_its_config_and_file(batch, tmp_path):
    model = block("own_statistics")
    model(batch, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    (layer,) = normalisations(loaded)
    assert len(layer.weights) == 2 + 2 * (STEPS + 1)
    assert len({weight.name for weight in layer.weights}) == len(layer.weights)
    np.testing.assert_array_equal(loaded(batch, training=False), model(batch, training=False))
