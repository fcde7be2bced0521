"""The fused kernels against what Keras composes: same numbers, same training."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from benchmarks.backends import fusion


@pytest.fixture
def fused():
    if keras.config.backend() != "tensorflow":
        pytest.skip("there is a kernel of this kind in TensorFlow alone")
    fusion.fuse()
    yield
    layers.BatchNormalization.call = fusion._composed
    keras.optimizers.Adam.update_step = fusion._composed_step


def make(shape, **settings):
    layer = layers.BatchNormalization(momentum=0.9, **settings)
    layer.build(shape)
    draw = np.random.default_rng(0)
    layer.set_weights([draw.uniform(0.5, 2, weight.shape) for weight in layer.get_weights()])
    return layer


def steps(layer, image, training):
    """Return the answer, the gradients of its squares, and the moving statistics afterwards."""
    import tensorflow as tf

    variables = [tf.constant(image), *layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(variables[0])
        answer = layer(variables[0], training=training)
        loss = ops.sum(ops.sin(answer) * ops.arange(3, dtype="float32"))
    gradients = tape.gradient(loss, [v.value if hasattr(v, "value") else v for v in variables])
    return [np.array(v) for v in (answer, *gradients, *layer.get_weights())]


@pytest.mark.parametrize("shape", [(2, 5, 4, 3), (1, 3, 4, 2, 3), (1, 1, 1, 3)])
@pytest.mark.parametrize("settings", [{}, {"scale": False}, {"center": False}, {"epsilon": 1e-4}])
@pytest.mark.parametrize("training", [True, False])
def test_it_computes_what_keras_composes(shape, settings, training, request):
    image = np.random.default_rng(1).normal(2, 3, size=shape).astype(np.float32)
    composed = steps(make(shape, **settings), image, training)
    request.getfixturevalue("fused")
    for ours, theirs in zip(steps(make(shape, **settings), image, training), composed, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


def test_what_the_kernel_cannot_do_is_left_to_keras(fused, monkeypatch):
    asked = []
    monkeypatch.setattr(fusion, "_composed", lambda layer, x, **_: asked.append(layer.name) or x)
    image = np.ones((2, 4, 4, 3), np.float32)
    layers.BatchNormalization(axis=1, name="other_axis")(image)
    layers.BatchNormalization(epsilon=1e-6, name="small_epsilon")(image)
    layers.BatchNormalization(dtype="float64", name="doubles")(image.astype(np.float64))
    layers.BatchNormalization(name="vectors")(np.ones((2, 3), np.float32))
    layers.BatchNormalization(name="pictures")(image)
    assert asked == ["other_axis", "small_epsilon", "doubles", "vectors"]


def trained(kind, **settings) -> list[np.ndarray]:
    """Take ten steps towards a target, in a graph, and return every variable."""
    import tensorflow as tf

    draw = np.random.default_rng(0)
    variable = keras.Variable(draw.normal(size=(4, 3)).astype(np.float32))
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    optimiser = kind(rate, global_clipnorm=1.0, **settings)
    optimiser.build([variable])
    target = tf.constant(draw.normal(size=(4, 3)).astype(np.float32))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((variable.value - target) ** 2)
        optimiser.apply(tape.gradient(loss, [variable.value]), [variable])

    for _ in range(10):
        step()
    return [np.array(v) for v in (variable, *optimiser.variables)]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"beta_1": 0.8, "epsilon": 1e-3},
        {"amsgrad": True},
        {"gradient_accumulation_steps": 2},
    ],
)
@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.AdamW])
def test_it_steps_as_keras_does(kind, settings, request):
    composed = trained(kind, **settings)
    request.getfixturevalue("fused")
    for ours, theirs in zip(trained(kind, **settings), composed, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-5)
