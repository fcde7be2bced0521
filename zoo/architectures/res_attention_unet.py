"""Attention-based residual U-Net.

    image ─ res 64 ─────────────── grid gate ─ res 64 ─ mask
              └ res 128 ────────── grid gate ─ res 128 ┘     The gate works on the grid of the
                  └ res 256 ────── grid gate ─ res 256 ┘     level below, whose gating signal
                      └ res 512 ── grid gate ─ res 512 ┘     is a 1x1 convolution, BatchNorm
                            └──── res 1024 ────┘             and ReLU of that level

    res:  relu( bn(conv(relu(bn(conv(x))))) + bn(conv1x1(x)) )

Attention U-Net with residual blocks; its gates come down to the coarser grid as Oktay et al. draw
them, instead of up to the finer one.
"""

import keras
from keras import layers

from zoo.blocks.attention import grid_gate
from zoo.blocks.convolution import batch_norm, conv_relu, convolution, relu, separable_convolution
from zoo.blocks.ends import entry, probabilities
from zoo.blocks.sampling import pool, up_nearest
from zoo.card import Card, Recipe, Reference, Variant

CARD = Card(
    title="Attention-Based Residual U-Net",
    family="attention gates",
    paper="Oktay et al. 2018 (arXiv 1804.03999) with the residual blocks of He et al. 2015 "
    "(arXiv 1512.03385)",
    source="Aaryan-Nakhat/Attention-Based-Residual-U-Net-for-Brain-MRI-Segmentation",
    ranks=(2, 3),
    input_shape=(256, 256, 3),
    classes=1,
    references=(
        Reference((256, 256, 3), 1, params=39_090_373, trainable=39_068_869, gflops=129.65),
        Reference((256, 256, 3), 1, "head_norm", 39_090_377, 39_068_871, gflops=129.65),
        Reference((256, 256, 3), 1, "separable", 11_264_352, 11_242_848, gflops=31.416),
    ),
    recipe=Recipe(
        loss="focal",
        loss_settings={"gamma": 2.0, "alpha": 0.25},
        optimiser="adam",
        learning_rate=1e-3,
        batch_size=8,
        epochs=50,
        normalisation="div255",
        note="Binary focal loss and Adam are the source's, thresholds .7 and .75 too. It states "
        "neither gamma and alpha, the rate, the batch nor the epochs: 2 and .25, 1e-3, 8 and 50 "
        "are ours.",
    ),
    variants={
        "separable": Variant(
            "SeparableConv2D in the residual blocks, as the author trained for lack of compute",
            {"separable": True},
        ),
        "head_norm": Variant(
            "BatchNorm between the last convolution and the sigmoid, as code that is widely copied "
            "has it; it keeps probabilities from 0 and 1 for many epochs",
            {"head_norm": True},
        ),
    },
    deviations=(
        "Plain convolutions by default: the author used separable ones for lack of compute and "
        "recommends plain ones, with a weighted sum of Dice and focal loss, a larger batch and "
        "larger slices.",
        "No BatchNorm behind the last convolution: the source's README, all that is public, names "
        "none. head_norm has the one of widely copied code, whose gamma starts at 1 and must grow "
        "before a probability can come near 0 or 1.",
        "In 3D the separable convolution is one group a channel and a 1x1x1: Keras has no "
        "SeparableConv3D.",
    ),
    flaws=("No metric is published.",),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024),
    separable: bool = False,
    head_norm: bool = False,
) -> keras.Model:
    """Build the residual attention U-Net; `separable` splits the 3x3 convolutions."""
    *encoder, bottleneck = widths
    image = x = entry(input_shape, multiple=2 ** len(encoder))
    skips = []
    for level, filters in enumerate(encoder):
        x = _res_block(x, filters, separable, name=f"down{level}")
        skips.append(x)
        x = pool(x, name=f"pool{level}")
    x = _res_block(x, bottleneck, separable, name="bottleneck")
    for level, filters in reversed(list(enumerate(encoder))):
        signal = conv_relu(x, filters, 1, name=f"signal{level}")
        gated = grid_gate(skips[level], signal, filters, name=f"gate{level}")
        x = up_nearest(x, name=f"up{level}_nearest")
        x = layers.Concatenate(name=f"join{level}")([x, gated])
        x = _res_block(x, filters, separable, name=f"up{level}")
    x = convolution(x, classes, 1, name="logits")
    if head_norm:
        x = batch_norm(x, name="logits_norm")
    return keras.Model(image, probabilities(x, classes), name="res_attention_unet")


def _res_block(
    x: keras.KerasTensor, filters: int, separable: bool, *, name: str
) -> keras.KerasTensor:
    conv = separable_convolution if separable else convolution
    y = batch_norm(conv(x, filters, name=f"{name}_conv0"), name=f"{name}_norm0")
    y = conv(relu(y, name=f"{name}_relu0"), filters, name=f"{name}_conv1")
    y = batch_norm(y, name=f"{name}_norm1")
    shortcut = convolution(x, filters, 1, name=f"{name}_shortcut")
    shortcut = batch_norm(shortcut, name=f"{name}_shortcut_norm")
    return relu(layers.Add(name=f"{name}_add")([shortcut, y]), name=name)
