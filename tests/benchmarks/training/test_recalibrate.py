"""Statistics estimated again are the mean over the batches, each step's its own where asked."""

import keras
import numpy as np
import pytest
from keras import layers

import zoo
from benchmarks.backends import fusion
from benchmarks.training import recalibrate


@pytest.fixture(params=["composed", "fused"])
def kernels(request):
    if request.param == "fused":
        fusion.fuse()
    yield
    layers.BatchNormalization.call = fusion._composed


def batches(count: int, side: int = 32) -> list:
    random = np.random.default_rng(5)
    return [
        (random.normal(number, 1 + number, (2, side, side, 3)).astype("float32"), None)
        for number in range(count)
    ]


def test_statistics_are_the_mean_over_the_batches(kernels):
    image = layers.Input((32, 32, 3))
    model = keras.Model(image, layers.BatchNormalization(momentum=0.9, name="norm")(image))
    given = batches(4)
    assert recalibrate.estimate(model, given) == 4
    norm = model.get_layer("norm")
    means = [x.mean((0, 1, 2), dtype=np.float64) for x, _ in given]
    variances = [x.var((0, 1, 2), dtype=np.float64) for x, _ in given]
    np.testing.assert_allclose(norm.moving_mean, np.mean(means, axis=0), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, np.mean(variances, axis=0), rtol=1e-4)
    assert norm.momentum == 0.9


@pytest.mark.parametrize("name", ["ar2_unet", "mod_r2au"])
def test_a_published_network_infers_what_it_trained_once_each_step_has_its_own(name):
    keras.utils.set_random_seed(2)
    published = zoo.create(name, (32, 32, 3), width=0.0625)
    (images, _), *_ = given = batches(1)
    trained = np.asarray(published(images, training=True))
    mended = zoo.create(name, (32, 32, 3), variant="own_statistics", width=0.0625)
    for ours, theirs in zip(mended.trainable_variables, published.trainable_variables, strict=True):
        ours.assign(theirs)
    recalibrate.estimate(mended, given)
    np.testing.assert_allclose(np.asarray(mended(images, training=False)), trained, atol=1e-4)
    recalibrate.estimate(published, given)
    assert np.abs(np.asarray(published(images, training=False)) - trained).max() > 1e-2
