"""Weights files: what they carry, what they refuse, and that they are written whole."""

import json
import os
import pickle

import numpy as np
import pytest
import safetensors.numpy
from safetensors import safe_open

import zoo
from zoo import building, weights
from zoo.weights_files import sealed, weights_file


@pytest.fixture
def model():
    return zoo.create("unet", (32, 32, 3), 1, width=0.125)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "unet.safetensors"


def refusal(call) -> str:
    with pytest.raises(zoo.UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_header_says_what_the_tensors_belong_to(model, path):
    saved = weights.save(model, path)
    header = weights.header(path)
    assert header.identity == model.zoo_identity
    assert header.card_digest == zoo.card("unet").digest()
    assert header.sha256 == saved == weights.digest(model)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_others_may_read_it(model, path):
    weights.save(model, path)
    assert path.stat().st_mode & 0o044 == 0o044


def test_any_reader_of_safetensors_reads_it(model, path):
    weights.save(model, path)
    tensors = safetensors.numpy.load_file(path)
    assert sum(tensor.size for tensor in tensors.values()) == model.count_params()


def test_restore_builds_the_model_from_the_file_alone(path):
    model = zoo.create("res_attention_unet", (32, 32, 1), 4, width=0.125, separable=True)
    weights.save(model, path)
    again = weights.restore(path)
    assert again.zoo_identity == model.zoo_identity
    assert weights.digest(again) == weights.digest(model)


def test_create_takes_a_file_and_another_size_of_image(model, path):
    weights.save(model, path)
    larger = zoo.create("unet", (64, 64, 3), 1, width=0.125, weights=path)
    assert weights.digest(larger) == weights.digest(model)


@pytest.mark.parametrize(
    ("other", "layer"),
    [
        ({"name": "attention_unet"}, "up3_enter_conv/kernel, which the file does not have"),
        ({"name": "unet", "width": 0.25}, "down0_0_conv/kernel: (3, 3, 3, 16) in the model"),
        ({"name": "unet", "classes": 3}, "logits/kernel: (1, 1, 8, 3) in the model"),
        ({"name": "unet", "input_shape": (32, 32, 1)}, "down0_0_conv/kernel: (3, 3, 1, 8)"),
        ({"name": "unet", "variant": "plain"}, "bottleneck_0_norm/beta, which the model does not"),
    ],
)
def test_another_architecture_is_refused_naming_the_first_layer(model, path, other, layer):
    weights.save(model, path)
    arguments = {"input_shape": (32, 32, 3), "classes": 1, "width": 0.125} | other
    before = zoo.create(**arguments)
    digest = weights.digest(before)
    assert layer in refusal(lambda: weights.load(before, path))
    assert weights.digest(before) == digest


def test_equal_shapes_that_compute_differently_are_refused(path):
    ordered = zoo.create("sa_unet", (32, 32, 3), 1, width=0.125, mean_first=True)
    weights.save(ordered, path)
    other = zoo.create("sa_unet", (32, 32, 3), 1, width=0.125)
    assert "compute differently" in refusal(lambda: weights.load(other, path))


def test_damage_is_found(model, path):
    weights.save(model, path)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert "SHA-256" in refusal(lambda: weights.load(model, path))
    path.write_bytes(content[: len(content) // 2])
    assert "not a whole weights file" in refusal(lambda: weights.load(model, path))


def test_pickles_models_and_strangers_are_refused(model, path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(path) + ".boom",)

    path.write_bytes(pickle.dumps(Bomb()))
    assert "not a whole weights file" in refusal(lambda: weights.load(model, path))
    model.save(path.with_suffix(".keras"))
    assert "not a whole" in refusal(lambda: weights.load(model, path.with_suffix(".keras")))
    safetensors.numpy.save_file({"a": np.zeros(1)}, path, {"architecture": json.dumps("unet")})
    assert "does not say which" in refusal(lambda: weights.load(model, path))
    assert "No weights file" in refusal(lambda: weights.load(model, path.with_name("none")))
    assert not path.with_name(path.name + ".boom").exists()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(model, path, monkeypatch):
    weights.save(model, path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refusal(lambda: weights.save(model, path))
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_model_from_elsewhere_cannot_be_saved(path):
    import keras

    stranger = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    assert "was not made by zoo.create" in refusal(lambda: weights.save(stranger, path))


def test_normalization_computes_with_the_loaded_statistics(path):
    """Keras' Normalization computes with copies of its weights; loading must renew them."""
    model = zoo.create("deeplabv3plus", (32, 32, 3), 1, width=0.125)
    layer = model.get_layer("encoder_normalization")
    layer.set_weights([np.full(3, 0.4), np.full(3, 0.2), np.array(0)])
    layer.finalize_state()
    weights.save(model, path)
    other = zoo.create("deeplabv3plus", (32, 32, 3), 1, width=0.125, weights=path)
    x = np.random.default_rng(0).random((1, 32, 32, 3), "float32")
    np.testing.assert_array_equal(model(x), other(x))


def forged(model, path, **changes):
    """Write a model's weights under another header, with a seal that fits it."""
    weights.save(model, path)
    with safe_open(path, framework="numpy") as file:
        facts = {name: json.loads(text) for name, text in file.metadata().items() if name != "seal"}
    path.write_bytes(sealed.pack(weights.arrays(model), {**facts, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": {"widths": [4096] * 5}},
        {"settings": {"widths": [8192, 8192]}},
        {"width": 2.0},
    ],
)
def test_a_header_asks_for_no_more_channels_than_the_file_fills(model, path, changes, monkeypatch):
    forged(model, path, **changes)
    monkeypatch.setattr(weights, "build", lambda *_, **__: pytest.fail("it was built"))
    assert "expected" in refusal(lambda: weights.restore(path))


ENCODER = 24_000_000  # weights of ResNet50, which no width scales


def test_every_architecture_fills_the_channels_that_it_asks_for():
    """What `require_room` takes for granted, by the counts that follow from the papers."""
    for name in zoo.names():
        for reference in zoo.card(name).references:
            shape = (*reference.input_shape,)
            identity = building.Identity(name, reference.variant, shape, reference.classes, 1.0)
            squares = sum(width**2 for width in building.widths(identity))
            held = reference.params or reference.trainable or reference.params_convolutions
            most = 600 * squares + ENCODER
            assert held is None or squares <= held <= most, (name, reference.variant)


@pytest.mark.parametrize(
    "settings",
    [
        *({"depth": 3}, {"weights": "other.safetensors"}, {"name": "unet3d"}, {"classes": 2}),
        *({"widths": "wide"}, {"widths": 5}, {"widths": [1]}, {"widths": None}),
    ],
)
def test_settings_that_no_network_has_are_refused(model, path, settings):
    forged(model, path, settings=settings)
    assert str(path) in refusal(lambda: weights.restore(path))


def test_a_file_of_before_seals_is_restored(model, path):
    weights.save(model, path)
    with safe_open(path, framework="numpy") as file:
        facts = {name: text for name, text in file.metadata().items() if name != "seal"}
    safetensors.numpy.save_file(weights.arrays(model), path, facts)
    assert weights.digest(weights.restore(path)) == weights.digest(model)


def test_another_type_of_numbers_is_refused(model, path):
    weights.save(model, path)
    tensors = {name: value.astype("float64") for name, value in weights.arrays(model).items()}
    with safe_open(path, framework="numpy") as file:
        facts = {name: json.loads(text) for name, text in file.metadata().items() if name != "seal"}
    facts["sha256"] = weights_file.digest(tensors)
    path.write_bytes(sealed.pack(tensors, facts))
    assert "float32 in the model, float64 in the file" in refusal(lambda: weights.restore(path))


def test_a_count_may_have_fewer_bytes(model, monkeypatch):
    """JAX keeps the count of a Normalization in int32 where TensorFlow has int64."""
    monkeypatch.setattr(weights, "arrays", lambda model: {"count": np.zeros((), "int32")})
    assert weights._first_difference(model, {"count": np.zeros((), "int64")}) is None
    told = weights._first_difference(model, {"count": np.zeros((), "float32")})
    assert told == "count: int32 in the model, float32 in the file"


def test_a_setting_of_several_numbers_is_the_same_before_and_after(path):
    model = zoo.create("deeplabv3plus", (32, 32, 3), 1, width=0.125, rates=(2, 4, 6))
    weights.save(model, path)
    same = zoo.create("deeplabv3plus", (32, 32, 3), 1, width=0.125, rates=(2, 4, 6), weights=path)
    assert weights.digest(same) == weights.digest(model)


def test_transfer_takes_over_all_but_a_head_of_other_classes(model, path):
    weights.save(model, path)
    other = zoo.create("unet", (64, 64, 3), 4, width=0.125)
    before = weights.arrays(other)
    anew, resampled = weights.transfer(other, path)
    assert not resampled
    assert {name.partition("/")[0] for name in anew} == {"logits"}
    saved, after = weights.arrays(model), weights.arrays(other)
    for name in after:
        np.testing.assert_array_equal(after[name], (before if name in anew else saved)[name])
    same = zoo.create("unet", (32, 32, 3), 1, width=0.125)
    assert weights.transfer(same, path) == ([], [])
    assert weights.digest(same) == weights.digest(model)


@pytest.mark.parametrize("classes", [1, 3])
def test_larger_kernels_go_on_from_trained_smaller_ones(path, classes):
    shape = (32, 32, 3)
    small = zoo.create("mednext", shape, 1, width=0.0625)
    weights.save(small, path)
    large = zoo.create("mednext", shape, classes, "small5", width=0.0625)
    anew, resampled = weights.transfer(large, path)
    assert {name.partition("/")[0] for name in anew} == (set() if classes == 1 else {"logits"})
    assert resampled == [name for name in weights.arrays(large) if "depthwise/kernel" in name]
    before, after = weights.arrays(small), weights.arrays(large)
    for name in after.keys() - set(anew) - set(resampled):
        np.testing.assert_array_equal(after[name], before[name])
    name = "down0_0_depthwise/kernel"
    # What PyTorch's interpolate gives for [a, b, c] at five places.
    line = np.array([[1, 0, 0], [0.6, 0.4, 0], [0, 1, 0], [0, 0.4, 0.6], [0, 0, 1]], np.float32)
    expected = np.einsum("ia,jb,abco->ijco", line, line, before[name])
    np.testing.assert_allclose(after[name], expected, atol=1e-6)


def test_kernels_of_another_size_and_blocks_of_another_number_are_refused(path):
    weights.save(zoo.create("mednext", (32, 32, 3), 1, width=0.0625), path)
    other = zoo.create("mednext", (32, 32, 3), 1, "medium5", width=0.0625)
    assert "can't go on" in refusal(lambda: weights.transfer(other, path))


@pytest.mark.parametrize(
    "other",
    [
        {"name": "sa_unet"},
        {"width": 0.25},
        {"input_shape": (32, 32, 1)},
        {"variant": "plain"},
    ],
)
def test_transfer_refuses_another_network(model, path, other):
    weights.save(model, path)
    arguments = {"name": "unet", "input_shape": (32, 32, 3), "classes": 1, "width": 0.125}
    assert "can't go on" in refusal(
        lambda: weights.transfer(zoo.create(**{**arguments, **other}), path)
    )
