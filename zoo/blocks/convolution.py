"""Convolutions, normalisation, and the two-convolution block of the U-Net."""

from typing import TypedDict, Unpack

import keras
from keras import layers, ops

from zoo.blocks.dilated import DilatedConv2D, DilatedConv3D

# PyTorch's default, with which most of these architectures were published. Keras' own 0.99 needs
# hundreds of steps before the moving statistics mean anything: docs/decisions/0005.
MOMENTUM = 0.9


def rank_of(x: keras.KerasTensor) -> int:
    """Return the number of spatial axes."""
    return len(x.shape) - 2


class Settings(TypedDict, total=False):
    """What `convolution_layer` takes by name, for those that hand it on."""

    strides: int
    dilation: int
    bias: bool
    initializer: str


def convolution(
    x: keras.KerasTensor, filters: int, kernel: int = 3, *, name: str, **settings: Unpack[Settings]
) -> keras.KerasTensor:
    """Convolve with 'same' padding."""
    return convolution_layer(rank_of(x), filters, kernel, name=name, **settings)(x)


def convolution_layer(
    rank: int,
    filters: int,
    kernel: int = 3,
    *,
    name: str,
    strides: int = 1,
    dilation: int = 1,
    bias: bool = True,
    initializer: str = "he_normal",
) -> layers.Layer:
    """Return the convolution layer itself, for those that call one layer several times."""
    plain, dilated = {2: (layers.Conv2D, DilatedConv2D), 3: (layers.Conv3D, DilatedConv3D)}[rank]
    layer = plain if dilation == 1 else dilated
    if rank == 2 and kernel == 1 and strides > 1:
        layer = ThinnedConv2D
    return layer(
        filters,
        kernel,
        strides=strides,
        dilation_rate=dilation,
        padding="same",
        use_bias=bias,
        kernel_initializer=initializer,
        name=name,
    )


@keras.saving.register_keras_serializable("gliozoo")
class ThinnedConv2D(layers.Conv2D):
    """`Conv2D` of 1x1 with strides: the places that it reads are taken first.

    The answer is the same. TensorFlow 2.21's oneDNN kernel for the weights' gradient writes out of
    bounds where fewer than 8 channels come in: wrong gradients, crashes.
    """

    def convolution_op(self, inputs, kernel):
        """Take every so many places, and convolve those."""
        down, right = self.strides
        return ops.conv(inputs[:, ::down, ::right], kernel, strides=1, padding="valid")


def separable_convolution(x: keras.KerasTensor, filters: int, *, name: str) -> keras.KerasTensor:
    """Convolve each channel 3x3(x3) on its own, then mix channels 1x1(x1); bias on the mix."""
    if rank_of(x) == 2:
        return layers.SeparableConv2D(
            filters,
            3,
            padding="same",
            depthwise_initializer="he_normal",
            pointwise_initializer="he_normal",
            name=name,
        )(x)
    # Keras has no SeparableConv3D: a convolution with one group a channel is its first half.
    depthwise = layers.Conv3D(
        x.shape[-1],
        3,
        padding="same",
        groups=x.shape[-1],
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_depthwise",
    )
    return convolution(depthwise(x), filters, 1, name=f"{name}_pointwise")


def batch_norm(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Normalise over the batch."""
    return batch_norm_layer(name=name)(x)


def batch_norm_layer(*, name: str) -> layers.Layer:
    """Return the normalisation layer itself, for those that call one layer several times."""
    return layers.BatchNormalization(momentum=MOMENTUM, name=name)


def relu(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Rectify."""
    return layers.Activation("relu", name=name)(x)


def gelu(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Gate by the normal distribution, exactly and not by tanh."""
    return layers.Activation("gelu", name=name)(x)


def elu(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Rectify with an exponential tail."""
    return layers.Activation("elu", name=name)(x)


def conv_relu(
    x: keras.KerasTensor,
    filters: int,
    kernel: int = 3,
    *,
    name: str,
    norm: bool = True,
    **settings: Unpack[Settings],
) -> keras.KerasTensor:
    """Convolve, normalise unless `norm` is off, rectify."""
    x = convolution(x, filters, kernel, name=f"{name}_conv", **settings)
    if norm:
        x = batch_norm(x, name=f"{name}_norm")
    return relu(x, name=f"{name}_relu")


def double_conv(
    x: keras.KerasTensor,
    filters: int,
    *,
    name: str,
    norm: bool = True,
    **settings: Unpack[Settings],
) -> keras.KerasTensor:
    """Apply the U-Net's pair of 3x3 convolutions."""
    for step in range(2):
        x = conv_relu(x, filters, name=f"{name}_{step}", norm=norm, **settings)
    return x
