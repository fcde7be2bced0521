"""Encoders of keras.applications, with or without their ImageNet weights, for any channels."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

from zoo.blocks.convolution import MOMENTUM
from zoo.errors import UserError


@dataclass(frozen=True)
class Encoder:
    """One network of keras.applications and the file that holds its ImageNet weights."""

    title: str
    build: Callable[..., keras.Model]
    first: str
    file: str
    folder_url: str
    md5: str


def features(
    x: keras.KerasTensor,
    encoder: Encoder,
    taps: Sequence[str],
    weights: str | Path | None,
) -> list[keras.KerasTensor]:
    """Run `x` through the encoder and return the outputs of the layers named `taps`.

    `weights` is None (random), "imagenet" (downloaded once) or a file of keras.applications
    without its classification top.
    """
    network = encoder.build(include_top=False, weights=None, input_tensor=x)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
        elif layer.name.startswith(("rescaling", "normalization")):
            # The only layers that keras.applications names by a running number.
            layer.name = f"encoder_{type(layer).__name__.lower()}"
    if weights is not None:
        file = _download(encoder) if weights == "imagenet" else Path(weights)
        _load(network, encoder, file, channels=x.shape[-1])
    return [network.get_layer(tap).output for tap in taps]


def _download(encoder: Encoder) -> Path:
    """Return the ImageNet weights' file, downloaded where it is not there yet."""
    url = encoder.folder_url + encoder.file
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    place = home / "models" / encoder.file
    try:
        return Path(keras.utils.get_file(origin=url, cache_subdir="models", file_hash=encoder.md5))
    except Exception as error:
        raise UserError(
            f"The ImageNet weights of {encoder.title} could not be downloaded: fetch {url} and "
            f"put it at {place}, or give its path as encoder_weights."
        ) from error


def _load(network: keras.Model, encoder: Encoder, file: Path, channels: int) -> None:
    if not file.is_file():
        raise UserError(f"No weights file at {file}: give a file, 'imagenet' or None.")
    donor = network
    if channels != 3:
        donor = encoder.build(include_top=False, weights=None, input_shape=(None, None, 3))
    try:
        donor.load_weights(file)
    except Exception as error:
        raise UserError(
            f"{file} does not hold the weights of {encoder.title} without its top: "
            f"expected a file such as {encoder.file}."
        ) from error
    if channels != 3:
        _adapt(network, donor, encoder.first, channels)
        warnings.warn(
            f"The weights of {encoder.title} expect 3 channels: its first convolution was adapted "
            f"to {channels} by repeating its kernels and scaling them by 3/{channels}.",
            stacklevel=2,
        )
    _correct_deviation(network)


def _adapt(network: keras.Model, donor: keras.Model, first: str, channels: int) -> None:
    """Copy the weights, fitting those that see the image to its channels, as timm does.

    Repeated kernels scaled by 3 / channels keep the sum over the input: a grey image given in
    every channel excites the first layer as before.
    """
    order = np.arange(channels) % 3
    for layer, source in zip(_weighted(network), _weighted(donor), strict=True):
        values = source.get_weights()
        if layer.name == first and channels == 1:
            values[0] = values[0].sum(axis=2, keepdims=True)
        elif layer.name == first:
            values[0] = values[0][:, :, order] * (3 / channels)
        elif isinstance(layer, layers.Normalization):
            values = [v[order] if np.ndim(v) else v for v in values]
        layer.set_weights(values)
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()


def _weighted(network: keras.Model) -> list[layers.Layer]:
    return [layer for layer in network.layers if layer.weights]


def _correct_deviation(network: keras.Model) -> None:
    """Make EfficientNet's stored 'variance', which is a deviation, a variance.

    keras.applications mends it by one more Rescaling where it loads the weights itself; squaring
    keeps the graph the same with any weights.
    """
    for layer in network.layers:
        if isinstance(layer, layers.Normalization):
            mean, deviation, *count = layer.get_weights()
            layer.set_weights([mean, deviation**2, *count])
            layer.finalize_state()
