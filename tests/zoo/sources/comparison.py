"""An architecture and its torch form with the same weights, and how far they are apart.

Both compute in float64, where two orders of one sum agree: in float32 a deep network turns their
difference into some other side of some ReLU, and that into another gradient.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
import torch
from sources.carry import carry, from_torch, pairs, to_torch, values

import zoo

WIDTH = 0.125


@dataclass(frozen=True)
class Both:
    """Our network, the source's, and two images."""

    model: keras.Model
    module: torch.nn.Module
    images: np.ndarray


@contextlib.contextmanager
def computing(precision: str = "float64") -> Iterator[None]:
    """Have both compute so, on one thread of torch's."""
    before = keras.config.floatx(), keras.config.dtype_policy(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(getattr(torch, precision))
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)  # once there is one, it no longer follows floatx
    mean = halving(lambda even, odd: (even + odd) / 2)
    instead = (
        (keras.layers.MaxPooling3D, halving(keras.ops.maximum)),
        (keras.layers.AveragePooling3D, mean),
        (keras.layers.UpSampling2D, enlarging(keras.layers.UpSampling2D.call)),
    )
    try:
        with contextlib.ExitStack() as patches:
            for layer, call in instead if precision == "float64" else ():
                patches.enter_context(mock.patch.object(layer, "call", call))
            yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])
        torch.set_default_dtype(before[2])


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


def enlarging(repeat):
    """Interpolate by a matrix a side: TensorFlow's kernel answers in float32."""

    def matrix(count, factor):
        places = np.clip((np.arange(count * factor) + 0.5) / factor - 0.5, 0, count - 1)
        return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(count)))

    def call(self, x):
        if self.interpolation != "bilinear":
            return repeat(self, x)
        rows, columns = (matrix(n, k) for n, k in zip(x.shape[1:3], self.size, strict=True))
        return keras.ops.einsum("bhwc,yh,xw->byxc", x, rows, columns)

    return call


def both(form: tuple) -> Both:
    """Build the two and give them the same weights, in the precision of the moment."""
    name, shape, classes, variant = form
    source = import_module(f"sources.{name}")
    keras.utils.set_random_seed(3)
    settings = getattr(source, "SETTINGS", {})
    model = before_the_end(zoo.create(name, shape, classes, variant, WIDTH, **settings))
    calm(model)
    stir(model)
    module = source.network(shape, classes, WIDTH, variant)
    carry(model, module)
    images = np.random.default_rng(4).normal(size=(2, *shape)).astype(keras.config.floatx())
    return Both(model, module, images)


def before_the_end(model: keras.Model) -> keras.Model:
    """Return the model without its last activation, which saturates and computes in float32."""
    end = model.get_layer("mask")
    activation = isinstance(end, keras.layers.Activation)
    return keras.Model(model.input, end.input) if activation else model


def calm(model: keras.Model) -> None:
    """Let dropout drop nothing: that of encoders of keras.applications."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0


def stir(model: keras.Model) -> None:
    """Move every weight off its beginning: zeros and ones would agree with anything."""
    random = np.random.default_rng(2)
    for weight in model.weights:
        if weight.name == "moving_variance":
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        elif "float" in weight.dtype:
            noise = random.normal(0, 0.1, weight.shape)
            weight.assign(weight + noise * (1 if len(weight.shape) < 2 else np.std(weight)))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def answers(two: Both, training: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return our answer and the source's."""
    carry(two.model, two.module)  # the moving statistics, too, which training moves
    with torch.no_grad():
        theirs = from_torch(two.module.train(training)(to_torch(two.images)))
    before = two.model.get_weights()
    ours = np.asarray(two.model(two.images, training=training))
    two.model.set_weights(before)
    return ours, theirs


def direction_of(two: Both) -> np.ndarray:
    """Return what the answer is multiplied by before it is summed up: the gradient's other end."""
    shape = two.model.compute_output_shape(two.images.shape)
    return np.random.default_rng(5).normal(size=shape).astype(two.images.dtype)


def rounded(two: Both) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each weight's gradient of the source's form in float32, and in float64.

    Weights and images are the same: what lies between is the rounding of the form itself.
    """
    found = []
    for kind in (torch.float32, torch.float64):
        torch.set_default_dtype(kind)
        module = two.module.to(kind).train()
        module.zero_grad()
        images, direction = (to_torch(x).to(kind) for x in (two.images, direction_of(two)))
        (module(images) * direction).sum().backward()
        named = module.named_parameters()
        found.append({name: one.grad.numpy().copy() for name, one in named if one.grad is not None})
    torch.set_default_dtype(torch.float32)
    two.module.float()
    return {name: (found[0][name], value) for name, value in found[1].items()}


def gradients(two: Both) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each weight's gradient in training, ours and the source's."""
    model, module = two.model, two.module
    direction = direction_of(two)
    with tf.GradientTape() as tape:
        loss = keras.ops.sum(model(two.images, training=True) * direction)
    found = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    ours = {id(w): g for w, g in zip(model.trainable_weights, found, strict=True)}
    module.zero_grad()
    (module.train()(to_torch(two.images)) * to_torch(direction)).sum().backward()
    each = {}
    for layer, part in pairs(model, module):
        arrays = [(weight, ours[id(weight)]) for weight in layer.trainable_weights]
        for name, array in values(layer, arrays).items():
            each[f"{layer.name}: {name}"] = array, getattr(part, name).grad.numpy()
    assert len(each) == len(model.trainable_weights)
    return each


def apart(ours: np.ndarray, theirs: np.ndarray, floor: float = 0.0) -> float:
    """Return the largest difference over the source's largest value, or over `floor`."""
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), floor))


def gradients_apart(each: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Return how far the gradients of each weight are apart.

    A bias before a normalisation has no gradient but noise: nothing is measured by less than a
    hundredth of the largest gradient.
    """
    largest = max(np.abs(theirs).max() for _, theirs in each.values())
    return {name: apart(*pair, 1e-2 * largest) for name, pair in each.items()}
