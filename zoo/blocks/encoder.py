"""Encoders of keras.applications, with or without their ImageNet weights, for any channels."""

import os
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

from zoo.blocks.convolution import MOMENTUM
from zoo.blocks.encoders import Encoder, level, named, prepared, require_levels
from zoo.errors import UserError


@dataclass(frozen=True)
class File:
    """Where the ImageNet weights of an encoder lie, for those that have always been here."""

    name: str
    folder_url: str
    md5: str


FILES = {
    "resnet50": File(
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "https://storage.googleapis.com/tensorflow/keras-applications/resnet/",
        "4d473c1dd8becc155b73f8504c6f6626",
    ),
    "efficientnetb0": File(
        "efficientnetb0_notop.h5",
        "https://storage.googleapis.com/keras-applications/",
        "50bc09e76180e00e4465e1a485ddc09d",
    ),
}


def features(
    image: keras.KerasTensor,
    name: str,
    strides: Sequence[int],
    weights: str | Path | None,
) -> list[keras.KerasTensor]:
    """Run an image in [0, 1] through an encoder; return its last features at 1/stride each.

    `weights` is None (random), "imagenet" (downloaded once) or a file of keras.applications
    without its classification top.
    """
    encoder = named(name)
    x = prepared(image, encoder)
    require_levels(encoder, strides)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 1 or 3 channels are usual
        shape = _channels(x, encoder)
        network = encoder.build(include_top=False, weights=None, input_tensor=x, **shape)
    _settle(network)
    found = [level(network, encoder, stride) for stride in strides]
    if weights is not None:
        donor = _donor(network, encoder, weights, channels=x.shape[-1])
        if donor is not network:
            _adapt(network, donor, encoder, channels=x.shape[-1])
        _correct_deviation(network)
    return found


def _channels(x: keras.KerasTensor, encoder: Encoder) -> dict[str, tuple]:
    """Tell the channels to those that normalise inside by ImageNet's three unless told."""
    if x.shape[-1] == 3 or not encoder.name.startswith(("efficientnetv2", "convnext")):
        return {}
    return {"input_shape": (None, None, x.shape[-1])}


def _settle(network: keras.Model) -> None:
    """Give BatchNorm our momentum, and layers that have running numbers names that stay."""
    numbers: Counter[str] = Counter()
    for layer in network.layers:
        kind = type(layer).__name__.lower()
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
        if re.sub(r"_\d+$", "", layer.name).replace("_", "") == kind:
            number, numbers[kind] = numbers[kind], numbers[kind] + 1
            layer.name = f"encoder_{kind}" + (f"_{number}" if number else "")


def _donor(
    network: keras.Model, encoder: Encoder, weights: str | Path, channels: int
) -> keras.Model:
    """Return a network that has the weights asked for: the network itself where it can."""
    if weights == "imagenet" and encoder.name not in FILES:
        return _downloaded(encoder)
    file = _download(encoder) if weights == "imagenet" else Path(weights)
    donor = network
    if channels != 3:
        donor = encoder.build(include_top=False, weights=None, input_shape=(None, None, 3))
    _load(donor, encoder, file)
    return donor


def _downloaded(encoder: Encoder) -> keras.Model:
    """Let keras.applications find its own file."""
    try:
        return encoder.build(include_top=False, weights="imagenet", input_shape=(None, None, 3))
    except Exception as error:
        raise UserError(
            f"The ImageNet weights of {encoder.title} could not be downloaded: give the path of "
            f"their file, without its top, as encoder_weights. Received: {error}"
        ) from error


def _download(encoder: Encoder) -> Path:
    """Return the ImageNet weights' file, downloaded where it is not there yet."""
    file = FILES[encoder.name]
    url = file.folder_url + file.name
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    place = home / "models" / file.name
    try:
        return Path(keras.utils.get_file(origin=url, cache_subdir="models", file_hash=file.md5))
    except Exception as error:
        raise UserError(
            f"The ImageNet weights of {encoder.title} could not be downloaded: fetch {url} and "
            f"put it at {place}, or give its path as encoder_weights."
        ) from error


def _load(donor: keras.Model, encoder: Encoder, file: Path) -> None:
    if not file.is_file():
        raise UserError(f"No weights file at {file}: give a file, 'imagenet' or None.")
    try:
        donor.load_weights(file)
    except Exception as error:
        known = f": expected a file such as {FILES[encoder.name].name}" * (encoder.name in FILES)
        raise UserError(
            f"{file} does not hold the weights of {encoder.title} without its top{known}."
        ) from error


def _adapt(network: keras.Model, donor: keras.Model, encoder: Encoder, channels: int) -> None:
    """Copy the weights, fitting those that see the image to its channels, as timm does.

    Repeated kernels scaled by 3 / channels keep the sum over the input: a grey image given in
    every channel excites the first layer as before.
    """
    order = np.arange(channels) % 3
    pairs = [*zip(_weighted(network), _weighted(donor), strict=True)]
    first = next(layer for layer, _ in pairs if not isinstance(layer, layers.Normalization))
    for layer, source in pairs:
        values = source.get_weights()
        if layer is first and channels == 1:
            values[0] = values[0].sum(axis=2, keepdims=True)
        elif layer is first and channels != 3:
            values[0] = values[0][:, :, order] * (3 / channels)
        elif isinstance(layer, layers.Normalization):
            values = [v[order] if np.ndim(v) else v for v in values]
        layer.set_weights(values)
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    if channels != 3:
        warnings.warn(
            f"The weights of {encoder.title} expect 3 channels: its first convolution was adapted "
            f"to {channels} by repeating its kernels and scaling them by 3/{channels}.",
            stacklevel=2,
        )


def _weighted(network: keras.Model) -> list[layers.Layer]:
    return [layer for layer in network.layers if layer.weights]


def _correct_deviation(network: keras.Model) -> None:
    """Make EfficientNet's stored 'variance', which is a deviation, a variance.

    keras.applications mends it by one more Rescaling where it loads the weights itself; squaring
    keeps the graph the same with any weights.
    """
    for layer in network.layers:
        if isinstance(layer, layers.Normalization) and layer.weights:
            mean, deviation, *count = layer.get_weights()
            layer.set_weights([mean, deviation**2, *count])
            layer.finalize_state()
