"""An empty slice of a batch may not decide what is learned from it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import CASES, Case

from benchmarks.training import losses

DEEPEST = {"mednext", "nnunet", "swin_unetr"}  # whose norms made most of it


def gradient(case: Case, model: keras.Model, empty: bool) -> float:
    """Return the norm of the gradient of one sample, of noise with a square or of nothing."""
    shape = (1, *case.shape())
    image, mask = np.zeros(shape, "float32"), np.zeros((*shape[:-1], 1), "float32")
    if not empty:
        image += np.random.default_rng(0).normal(size=shape)
        mask[:, 4:9, 4:9] = 1
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(losses.create("bce+dice")(mask, model(image, training=True)))
    return float(tf.linalg.global_norm(tape.gradient(loss, model.trainable_variables)))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=str(case), marks=[] if case.name in DEEPEST else pytest.mark.slow)
        for case in CASES
        if case.variant is None and case.rank == 2
    ],
)
def test_an_empty_slice_has_no_more_to_say_than_an_image(case):
    keras.utils.set_random_seed(0)
    model = case.create()
    image, nothing = gradient(case, model, empty=False), gradient(case, model, empty=True)
    assert np.isfinite(nothing)
    assert nothing < 100 * image
