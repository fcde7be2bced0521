"""Each architecture against a plain PyTorch form of its source, weight for weight.

A form is a file in `sources` with `FORMS`, a literal of (input_shape, classes, variant), and
`network(input_shape, classes, width, variant)`, a module that returns logits, named as our layers;
where `mask` is no activation of logits, it returns what `mask` does.
Equal counts can hide a wrong order, a wrong border or a wrong slope; these can't. Both compute in
float64, where two orders of one sum agree: in float32 a deep network turns their difference into
some other side of some ReLU, and that into another gradient.
"""

import ast
import importlib.util
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo

pytestmark = pytest.mark.backends
WIDTH = 0.125
CLOSE = 1e-4  # of the largest value
SOURCES = Path(__file__).parent / "sources"
if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed: make test-backends installs it", allow_module_level=True)


def forms() -> list[tuple]:
    """Read the forms without importing torch, which takes seconds."""
    found = []
    for file in sorted(SOURCES.glob("*.py")):
        for line in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "FORMS":
                found += [(file.stem, *form) for form in ast.literal_eval(line.value)]
    return found


def named(form: tuple) -> str:
    name, shape, _, variant = form
    return f"{name}-{variant or 'default'}-{len(shape) - 1}d"


@pytest.fixture(params=forms(), ids=named, scope="module")
def both(request):
    """A model, its torch form with the same weights, and two images."""
    import torch
    from sources import carry

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    keras.config.set_floatx("float64")
    name, shape, classes, variant = request.param
    source = import_module(f"sources.{name}")
    keras.utils.set_random_seed(3)
    settings = getattr(source, "SETTINGS", {})
    model = before_the_end(zoo.create(name, shape, classes, variant, WIDTH, **settings))
    stir(model)
    module = source.network(shape, classes, WIDTH, variant)
    carry.carry(model, module)
    x = np.random.default_rng(4).normal(size=(2, *shape))
    yield model, module, x
    keras.config.set_floatx("float32")
    torch.set_default_dtype(torch.float32)


def halving(merge):
    """Pool axis by axis: TensorFlow's kernels pool volumes in float32 and less only."""

    def call(self, x):
        for axis in (1, 2, 3):
            even, odd = (
                keras.ops.take(x, range(first, x.shape[axis], 2), axis=axis) for first in (0, 1)
            )
            x = merge(even, odd)
        return x

    return call


@pytest.fixture(autouse=True)
def pools(monkeypatch):
    monkeypatch.setattr(keras.layers.MaxPooling3D, "call", halving(keras.ops.maximum))
    mean = halving(lambda even, odd: (even + odd) / 2)
    monkeypatch.setattr(keras.layers.AveragePooling3D, "call", mean)


def stir(model: keras.Model) -> None:
    """Move every weight off its beginning: zeros and ones would agree with anything."""
    random = np.random.default_rng(2)
    for weight in model.weights:
        if weight.name == "moving_variance":
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        elif "float" in weight.dtype:
            noise = random.normal(0, 0.1, weight.shape)
            weight.assign(weight + noise * (1 if len(weight.shape) < 2 else np.std(weight)))


def before_the_end(model: keras.Model) -> keras.Model:
    """Return the model without its last activation, which saturates and computes in float32."""
    end = model.get_layer("mask")
    activation = isinstance(end, keras.layers.Activation)
    return keras.Model(model.input, end.input) if activation else model


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_the_answer_is_the_sources(both, training):
    import torch
    from sources.carry import carry, from_torch, to_torch

    model, module, x = both
    carry(model, module)  # the moving statistics of a test before this one
    with torch.no_grad():
        theirs = from_torch(module.train(training)(to_torch(x)))
    before = model.get_weights()
    ours = np.asarray(model(x, training=training))
    model.set_weights(before)
    assert np.ptp(ours) > 1e-2, "a constant answer would agree with anything"
    assert np.abs(ours - theirs).max() <= CLOSE * np.abs(theirs).max()


def test_the_gradients_are_the_sources(both):
    from sources.carry import pairs, to_torch, values

    model, module, x = both
    direction = np.random.default_rng(5).normal(size=model.compute_output_shape(x.shape))
    with tf.GradientTape() as tape:
        loss = keras.ops.sum(model(x, training=True) * direction)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    ours = {id(w): g for w, g in zip(model.trainable_weights, gradients, strict=True)}
    (module.train()(to_torch(x)) * to_torch(direction)).sum().backward()
    checked = 0
    largest = max(float(part.grad.abs().max()) for part in module.parameters())
    for layer, part in pairs(model, module):
        arrays = [(weight, ours[id(weight)]) for weight in layer.trainable_weights]
        for name, array in values(layer, arrays).items():
            theirs = getattr(part, name).grad.numpy()
            # A bias before a normalisation has no gradient but noise.
            scale = max(np.abs(theirs).max(), 1e-2 * largest)
            assert np.abs(array - theirs).max() <= CLOSE * scale, f"{layer.name}: {name}"
            checked += 1
    assert checked == len(model.trainable_weights)
