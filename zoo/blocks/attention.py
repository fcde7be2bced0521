"""Gates that decide what of a feature map passes."""

import keras
from keras import layers, ops

from zoo.blocks.convolution import batch_norm, convolution, relu
from zoo.blocks.sampling import up_nearest, up_transposed


def additive_gate(
    skip: keras.KerasTensor,
    signal: keras.KerasTensor,
    inter: int,
    *,
    name: str,
    norm: bool = True,
    projected: bool = False,
) -> keras.KerasTensor:
    """Gate the skip by the decoder's signal of the same size (Oktay et al. 2018, eq. 1).

    `inter` is the width in which the two are added; `norm` puts BatchNorm behind each 1x1. With
    `projected`, what passes is the skip in that width, and not the skip itself.
    """
    project = _projection(norm)
    branches = [
        project(skip, inter, name=f"{name}_skip"),
        project(signal, inter, name=f"{name}_signal"),
    ]
    joined = relu(layers.Add(name=f"{name}_add")(branches), name=f"{name}_relu")
    psi = layers.Activation("sigmoid", name=f"{name}_sigmoid")(
        project(joined, 1, name=f"{name}_psi")
    )
    return layers.Multiply(name=name)([branches[0] if projected else skip, psi])


def _projection(norm: bool):
    def project(x: keras.KerasTensor, filters: int, *, name: str) -> keras.KerasTensor:
        x = convolution(x, filters, 1, name=f"{name}_conv")
        return batch_norm(x, name=f"{name}_norm") if norm else x

    return project


def grid_gate(
    skip: keras.KerasTensor, signal: keras.KerasTensor, inter: int, *, name: str
) -> keras.KerasTensor:
    """Gate the skip on the grid of the coarser gating signal, then mix channels 1x1.

    The skip comes down by a 2x2 convolution of stride 2, the signal passes a 1x1 and a 3x3
    transposed convolution; psi goes back up by repetition.
    """
    theta = convolution(skip, inter, 2, strides=2, name=f"{name}_theta")
    phi = convolution(signal, inter, 1, name=f"{name}_phi")
    phi = up_transposed(phi, inter, kernel=3, strides=1, name=f"{name}_phi_up")
    joined = relu(layers.Add(name=f"{name}_add")([phi, theta]), name=f"{name}_relu")
    psi = convolution(joined, 1, 1, name=f"{name}_psi", initializer="glorot_uniform")
    psi = layers.Activation("sigmoid", name=f"{name}_sigmoid")(psi)
    gated = layers.Multiply(name=f"{name}_gated")([skip, up_nearest(psi, name=f"{name}_psi_up")])
    mixed = convolution(gated, skip.shape[-1], 1, name=f"{name}_mix")
    return batch_norm(mixed, name=name)


def spatial_attention(
    x: keras.KerasTensor, *, name: str, bias: bool = False, mean_first: bool = True
) -> keras.KerasTensor:
    """Weight each position by a 7x7 convolution of its channel mean and maximum (CBAM)."""
    mean = ops.mean(x, axis=-1, keepdims=True)
    peak = ops.max(x, axis=-1, keepdims=True)
    pair = [mean, peak] if mean_first else [peak, mean]
    joined = layers.Concatenate(name=f"{name}_pair")(pair)
    weight = convolution(joined, 1, 7, name=f"{name}_conv", bias=bias)
    weight = layers.Activation("sigmoid", name=f"{name}_sigmoid")(weight)
    return layers.Multiply(name=name)([x, weight])
