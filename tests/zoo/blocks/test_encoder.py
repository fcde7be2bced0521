"""Encoders with weights files that the tests make: no download is ever needed."""

import random

import keras
import numpy as np
import pytest

import zoo
from zoo.blocks import encoders
from zoo.blocks.encoder import FILES
from zoo.blocks.encoders import CAFFE_MEAN

ENCODERS = {
    "resnet50_unet": encoders.named("resnet50"),
    "deeplabv3plus": encoders.named("efficientnetb0"),
}
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
        ready = 255 * x[..., ::-1] - np.array(CAFFE_MEAN, "float32")
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
    weights = file

    def get_file(origin, cache_subdir, file_hash):
        calls.append((origin, cache_subdir, file_hash))
        if len(calls) == 1:
            raise OSError("unreachable")
        return str(weights)

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    with pytest.raises(zoo.UserError) as refusal:
        zoo.create(name, (32, 32, 3), 1, width=0.125, encoder_weights="imagenet")
    file = FILES[encoder.name]
    assert file.name in str(refusal.value)
    assert "put it at" in str(refusal.value)
    model = zoo.create(name, (32, 32, 3), 1, width=0.125, encoder_weights="imagenet")
    assert calls[0] == (file.folder_url + file.name, "models", file.md5)
    np.testing.assert_array_equal(
        model.get_layer(STAGE[name]).get_weights()[0],
        network.get_layer(STAGE[name]).get_weights()[0],
    )


@pytest.mark.parametrize(
    ("name", "expects"),
    [
        ("resnet101", "caffe"),
        ("resnet101v2", "signed"),
        ("vgg19", "caffe"),
        ("densenet121", "standard"),
        ("mobilenetv2", "signed"),
        ("mobilenetv3small", "bytes"),
        ("efficientnetv2b0", "bytes"),
        ("convnexttiny", "bytes"),
        ("xception", "signed"),
    ],
)
def test_each_family_is_given_images_as_its_weights_expect_them(name, expects):
    encoder = encoders.named(name)
    assert encoder.expects == expects
    inputs = keras.Input((2, 2, 3))
    x = np.random.default_rng(0).random((1, 2, 2, 3), "float32")
    found = np.asarray(keras.Model(inputs, encoders.prepared(inputs, encoder))(x))
    mode = {"caffe": "caffe", "signed": "tf", "standard": "torch"}.get(expects)
    preprocess = keras.applications.imagenet_utils.preprocess_input
    expected = preprocess(255 * x, mode=mode, data_format="channels_last") if mode else 255 * x
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", encoders.LEVELS)
def test_levels_are_the_last_layers_of_their_sizes(name):
    with keras.StatelessScope(initialize_variables=False):
        build = encoders.named(name).build
        network = build(include_top=False, weights=None, input_shape=(256, 256, 3))
    found = {stride: network.layers[place].name for stride, place in encoders.places(name).items()}
    known = encoders.LEVELS[name]
    assert {stride: found[stride] for stride in known} == known


def test_an_unknown_encoder_or_one_without_levels_is_one_sentence():
    with pytest.raises(zoo.UserError, match="Did you mean 'efficientnetb3'"):
        zoo.create("resnet50_unet", (64, 64, 3), 1, encoder="efficientnet_b3")
    with pytest.raises(zoo.UserError, match=r"convnexttiny has no features of 1/2"):
        zoo.create("resnet50_unet", (64, 64, 3), 1, width=0.125, encoder="convnexttiny")
    with pytest.raises(zoo.UserError, match=r"xception has no features of 1/4"):
        zoo.create("deeplabv3plus", (32, 32, 3), 1, width=0.125, encoder="xception")


@pytest.mark.parametrize("name", ["mobilenetv3small", "convnexttiny"])
def test_other_encoders_take_what_keras_downloads_for_any_channels(name, monkeypatch):
    encoder = encoders.named(name)
    narrow = keras.src.applications.convnext.MODEL_CONFIGS["tiny"]
    monkeypatch.setitem(narrow, "projection_dims", [8, 16, 32, 64])  # as deep, in a second
    keras.utils.set_random_seed(12)
    source = encoder.build(include_top=False, weights=None, input_shape=(None, None, 3))

    def build(weights, **settings):
        return source if weights == "imagenet" else encoder.build(weights=weights, **settings)

    monkeypatch.setattr(keras.applications, encoder.title, build)
    with pytest.warns(UserWarning, match="adapted to 4 by repeating"):
        model = zoo.create(
            "deeplabv3plus", (32, 32, 4), 1, width=0.125, encoder=name, encoder_weights="imagenet"
        )
    ours = {layer.name: layer for layer in model.layers if layer.weights}
    same = [layer for layer in source.layers if layer.weights and layer.name in ours]
    assert len(same) > 10
    first, *others = same
    kernel, theirs = ours[first.name].get_weights()[0], first.get_weights()[0]
    np.testing.assert_allclose(kernel, theirs[:, :, [0, 1, 2, 0]] * 3 / 4, rtol=1e-6)
    for value, other in zip(
        ours[others[-1].name].get_weights(), others[-1].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(value, other)


def test_looking_an_encoder_up_changes_no_seed_of_what_comes_after():
    encoders.places.cache_clear()
    keras.utils.set_random_seed(3)
    expected = random.random()
    keras.utils.set_random_seed(3)
    encoders.places("mobilenetv2")
    assert random.random() == expected
