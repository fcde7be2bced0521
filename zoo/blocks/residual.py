"""The residual block of two normalised convolutions that decoders of transformers share."""

import keras
from keras import layers

from zoo.blocks.convolution import convolution
from zoo.blocks.normalisation import instance_norm
from zoo.blocks.sampling import up_transposed


def residual(x: keras.KerasTensor, filters: int, *, name: str) -> keras.KerasTensor:
    """Convolve twice, normalise by instance, add the input, projected where widths differ."""
    y = _leaky(_normal(x, filters, 3, name=f"{name}_0"), name=f"{name}_0_relu")
    y = _normal(y, filters, 3, name=f"{name}_1")
    if x.shape[-1] != filters:
        x = _normal(x, filters, 1, name=f"{name}_skip")
    return _leaky(layers.Add(name=f"{name}_add")([x, y]), name=name)


def up_residual(x: keras.KerasTensor, skip: keras.KerasTensor, level: int) -> keras.KerasTensor:
    """Double the sides, join the skip of that level, and pass on through a residual block."""
    filters = skip.shape[-1]
    x = up_transposed(x, filters, bias=False, name=f"up{level}_transposed")
    x = layers.Concatenate(name=f"join{level}")([x, skip])
    return residual(x, filters, name=f"up{level}")


def _normal(x: keras.KerasTensor, filters: int, kernel: int, *, name: str) -> keras.KerasTensor:
    x = convolution(x, filters, kernel, bias=False, name=f"{name}_conv")
    return instance_norm(x, affine=False, name=f"{name}_norm")


def _leaky(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    return layers.LeakyReLU(0.01, name=name)(x)
