"""Weights files: what they carry, what they refuse, and that they are written whole."""

import json
import os
import pickle

import numpy as np
import pytest
import safetensors.numpy

import zoo
from zoo import weights


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
