"""Encoders with weights files that the tests make: no download is ever needed."""

import keras
import numpy as np
import pytest

import zoo
from zoo.architectures.deeplabv3plus import EFFICIENTNETB0
from zoo.architectures.resnet50_unet import MEAN, RESNET50

ENCODERS = {"resnet50_unet": RESNET50, "deeplabv3plus": EFFICIENTNETB0}
STAGE = {"resnet50_unet": "conv1_conv", "deeplabv3plus": "stem_conv"}


@pytest.fixture(params=ENCODERS, scope="module")
def pretrained(request, tmp_path_factory):
    """An encoder with random weights and statistics, and its file as keras.applications has it."""
    name = request.param
    keras.utils.set_random_seed(11)
    network = ENCODERS[name].build(include_top=False, weights=None, input_shape=(None, None, 3))
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization):
            # The real file keeps ImageNet's deviations where a variance belongs.
            mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
            layer.set_weights([np.array(mean), np.array(deviation), np.array(0)])
            layer.finalize_state()
    file = tmp_path_factory.mktemp("encoder") / "notop.weights.h5"
    network.save_weights(file)
    return name, network, file


def image(channels=3):
    return np.random.default_rng(0).random((1, 32, 32, channels), "float32")


def output_of(model, layer, x):
    return np.asarray(keras.Model(model.input, model.get_layer(layer).output)(x))


def test_a_file_is_loaded_and_images_in_0_1_are_preprocessed_inside(pretrained):
    name, network, file = pretrained
    model = zoo.create(name, (32, 32, 3), 1, width=0.125, encoder_weights=file)
    x = image()
    if name == "resnet50_unet":
        ready = 255 * x[..., ::-1] - np.array(MEAN, "float32")
        expected = output_of(network, STAGE[name], ready)
    else:
        ready = (x - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        stem = keras.Model(
            network.get_layer("stem_conv_pad").input, network.get_layer("stem_conv").output
        )
        expected = np.asarray(stem(ready.astype("float32")))
    np.testing.assert_allclose(output_of(model, STAGE[name], x), expected, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channels_adapt_the_first_convolution_and_say_so(pretrained, channels):
    name, network, file = pretrained
    with pytest.warns(UserWarning, match=f"adapted to {channels} by repeating"):
        model = zoo.create(name, (32, 32, channels), 1, width=0.125, encoder_weights=file)
    kernel = model.get_layer(STAGE[name]).get_weights()[0]
    source = network.get_layer(STAGE[name]).get_weights()[0]
    assert kernel.shape[2] == channels
    if channels != 2:  # Two of three channels can't keep the sum; their scale keeps its size.
        sums = {1: source.sum(2), 4: source[:, :, [0, 1, 2, 0]].sum(2) * 3 / 4}
        np.testing.assert_allclose(kernel.sum(2), sums[channels], rtol=1e-4, atol=1e-5)
    deeper = "conv2_block1_1_conv" if name == "resnet50_unet" else "block2a_expand_conv"
    np.testing.assert_array_equal(
        model.get_layer(deeper).get_weights()[0], network.get_layer(deeper).get_weights()[0]
    )
    assert np.isfinite(model(image(channels))).all()


def test_a_missing_or_foreign_file_is_one_sentence(pretrained, tmp_path):
    name, _, _ = pretrained
    with pytest.raises(zoo.UserError, match="No weights file at"):
        zoo.create(name, (32, 32, 3), 1, encoder_weights=tmp_path / "none.h5")
    foreign = tmp_path / "foreign.weights.h5"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]).save_weights(foreign)
    with pytest.raises(zoo.UserError, match="does not hold the weights of"):
        zoo.create(name, (32, 32, 3), 1, encoder_weights=foreign)


def test_imagenet_comes_from_the_cache_or_is_asked_for_in_one_sentence(
    pretrained, tmp_path, monkeypatch
):
    name, network, file = pretrained
    encoder = ENCODERS[name]
    calls = []

    def get_file(origin, cache_subdir, file_hash):
        calls.append((origin, cache_subdir, file_hash))
        if len(calls) == 1:
            raise OSError("unreachable")
        return str(file)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    with pytest.raises(zoo.UserError) as refusal:
        zoo.create(name, (32, 32, 3), 1, width=0.125, encoder_weights="imagenet")
    assert encoder.file in str(refusal.value)
    assert "put it at" in str(refusal.value)
    model = zoo.create(name, (32, 32, 3), 1, width=0.125, encoder_weights="imagenet")
    assert calls[0] == (encoder.folder_url + encoder.file, "models", encoder.md5)
    np.testing.assert_array_equal(
        model.get_layer(STAGE[name]).get_weights()[0],
        network.get_layer(STAGE[name]).get_weights()[0],
    )
