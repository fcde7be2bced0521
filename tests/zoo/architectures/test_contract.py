"""The contract that every architecture, variant and rank keeps."""

import contextlib
import inspect
import re
from collections.abc import Iterator
from importlib import import_module

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import EVERY, STOOD_FOR, Case

import zoo
from zoo import weights


def slow_where(left_out) -> list:
    """Return every case as a parameter; those that are left out are tried by the slow tests."""
    return [
        pytest.param(case, marks=pytest.mark.slow if left_out(case) else (), id=str(case))
        for case in EVERY
    ]


CASES = slow_where(lambda case: case in STOOD_FOR)
# One form of each architecture: ten steps take as long as all else.
FIRST = slow_where(lambda case: case.variant or case.rank != zoo.card(case.name).ranks[0])


@pytest.fixture(params=CASES, scope="module")
def case(request) -> Case:
    return request.param


def born(case: Case) -> tuple[keras.Model, str]:
    """Return a model and the digest of the weights that it was made with."""
    keras.utils.set_random_seed(7)
    model = case.create()
    return model, weights.digest(model)


@pytest.fixture(scope="module")
def first(case):
    return born(case)


@pytest.fixture(scope="module")
def model(first):
    return first[0]


@pytest.fixture(scope="module")
def answer(case, model):
    """Return a function that gives what the model answers in inference, by its present weights."""
    known: dict[str, np.ndarray] = {}

    def present() -> np.ndarray:
        digest = weights.digest(model)
        if digest not in known:
            known[digest] = np.asarray(model(images(case), training=False))
        return known[digest]

    return present


@pytest.fixture(scope="module")
def twin(case):
    """Return a second model of the same seed, which computes in float16."""
    with computing("mixed_float16"):
        return born(case)


@pytest.fixture(scope="module")
def several(case):
    """Return a model of four classes for grey images, which computes in bfloat16."""
    with computing("mixed_bfloat16"):
        return case.create(classes=4, channels=1)


@contextlib.contextmanager
def computing(policy: str) -> Iterator[None]:
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")


def images(case: Case, batch: int = 2, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(1).random((batch, *case.shape(channels)), "float32")


def blob(case: Case, batch: int = 2) -> np.ndarray:
    """A mask to overfit: a box off the centre."""
    mask = np.zeros((batch, *case.shape(1)), "float32")
    mask[(slice(None), *(slice(side // 4, side // 4 * 3) for side in case.shape()[:-1]))] = 1
    return mask


def loss_and_gradients(model, x, y):
    with tf.GradientTape() as tape:
        output = model(x, training=True)
        loss = keras.ops.mean(keras.losses.binary_crossentropy(y, output))
    return loss, tape.gradient(loss, [weight.value for weight in model.trainable_weights])


def test_output_is_float32_probabilities_of_the_inputs_size(case, model, answer):
    assert model.output_shape == (None, *case.shape(1))
    assert model.output.dtype == "float32"
    probabilities = answer()
    assert probabilities.shape == (2, *case.shape(1))
    assert probabilities.dtype == np.float32
    assert 0 <= probabilities.min() < probabilities.max() <= 1


def test_inference_is_deterministic_and_training_mode_differs(case, model, answer):
    x = images(case)
    np.testing.assert_array_equal(answer(), model(x, training=False))
    if any("DropBlock" in type(layer).__name__ for layer in model.layers):
        trained = [np.asarray(model(x, training=True)) for _ in range(2)]
        assert not np.array_equal(*trained)


def test_recurrent_weights_are_one_object_called_again(case, model):
    """A unit's convolution stands once, called t + 1 times; so does its BatchNorm as published."""
    steps = inspect.signature(import_module(f"zoo.architectures.{case.name}").build).parameters.get(
        "steps"
    )
    recurrent = [layer for layer in model.layers if re.search(r"_unit\d?_(conv|norm)", layer.name)]
    if steps is None or case.variant == "published_code":
        assert not recurrent
        return
    convolutions = [layer for layer in recurrent if layer.name.endswith("_conv")]
    norms = [layer for layer in recurrent if layer not in convolutions]
    assert len(convolutions) >= 9
    own = case.variant == "own_norms"
    assert len(norms) == len(convolutions) * (steps.default + 1 if own else 1)
    for layer in recurrent:
        once = own and layer in norms
        assert len(layer._inbound_nodes) == (1 if once else steps.default + 1), layer.name


def test_a_saved_model_loads_without_custom_objects(case, model, answer, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(answer(), loaded(images(case), training=False))


def test_same_seed_gives_same_weights_in_every_precision(first, twin):
    assert first[1] == twin[1]


def test_weights_round_trip(case, model, answer, twin, tmp_path):
    saved = weights.save(model, tmp_path / "w.safetensors")
    before = answer()
    for other in (twin[0], model):
        for weight in other.weights:
            weight.assign(weight + keras.ops.ones_like(weight))
        assert weights.digest(other) != saved
        weights.load(other, tmp_path / "w.safetensors")
        assert weights.digest(other) == saved
    np.testing.assert_array_equal(model(images(case), training=False), before)


def test_several_classes_sum_to_one_on_grey_images(case, several):
    output = np.asarray(several(images(case, 1, 1), training=False))
    assert output.shape == (1, *case.shape(4))
    np.testing.assert_allclose(output.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("policy", ["bfloat16", "float16"])
def test_mixed_precision_computes_low_and_answers_in_float32(case, policy, twin, several):
    model = several if policy == "bfloat16" else twin[0]
    assert model.get_layer("logits").compute_dtype == policy
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    assert model.output.dtype == "float32"
    if case.rank == 3 and policy == "float16":
        return  # TensorFlow has no float16 kernels for volumes on a CPU.
    output = np.asarray(model(images(case, channels=model.input_shape[-1]), training=True))
    assert output.dtype == np.float32
    assert np.isfinite(output).all()


def test_a_shape_that_does_not_fit_is_refused_with_the_size_to_pad_to(case):
    axes = {2: ("height", "width"), 3: ("depth", "height", "width")}[case.rank]
    for index, axis in enumerate(axes):
        shape = list(case.shape())
        shape[index] += 1
        with pytest.raises(zoo.UserError) as refusal:
            zoo.create(case.name, tuple(shape), 1, case.variant, 0.125)
        pattern = rf"Expected {axis} divisible by (\d+)\. Received: (\d+)\. Pad to (\d+)\."
        multiple, received, padded = map(int, re.fullmatch(pattern, str(refusal.value)).groups())
        assert received == shape[index]
        assert padded == next(side for side in range(received, 999) if side % multiple == 0)


def test_every_trainable_weight_receives_a_finite_gradient(case, model):
    _, gradients = loss_and_gradients(model, images(case), blob(case))
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None, f"{weight.path} receives no gradient"
        assert np.isfinite(gradient).all(), f"{weight.path} receives a gradient that is not finite"
    assert any(np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize("case", FIRST, indirect=True)
def test_ten_steps_on_one_batch_are_enough_to_halve_the_loss(case):
    keras.utils.set_random_seed(0)
    # A quarter of the width: with one or two channels a network can't be expected to learn; and
    # without DropBlock, which is there to prevent what is tried here.
    model = case.create(width=0.25, **({"keep": 1.0} if case.name == "sa_unet" else {}))
    x, y = images(case), blob(case)
    x += y  # What is to be found is brighter.
    slow = (case.variant or "") in zoo.card(case.name).exempt.get("learns by heart", {})
    losses = descend(model, x, y, steps=14 if slow else 10)
    assert losses[-1] < losses[0] / 2, losses


def descend(model, x, y, steps: int) -> list[float]:
    """Move each weight against its gradient's sign: Adam without its memory, nothing to trace.

    It ends once the loss is halved.

    With normalisation a step is a share of a kernel's own size, as in LARS, and of 1 elsewhere: a
    BatchNorm behind the logits must grow before they do. Without any nothing holds the scale
    of what flows, so that steps are small and fade.
    """
    normalised = any("Normalization" in type(layer).__name__ for layer in model.layers)
    losses = []
    for step in range(steps + 1):
        loss, gradients = loss_and_gradients(model, x, y)
        losses.append(float(loss))
        if losses[-1] < losses[0] / 2:
            break
        for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
            kernel = len(weight.shape) > 1
            size = float(np.sqrt(np.mean(np.square(weight)))) if kernel else 1.0
            share = 0.1 * 0.9**step * size
            weight.assign_sub((share if normalised else 2e-3 * 0.8**step) * tf.sign(gradient))
    return losses
