"""CMUNeXt (Tang et al. 2023): large depthwise kernels, and few parameters.

    image ─ stem ─ 16, k 3 ─────────────────────────── fuse 16 ─ mask
                     └ 32, k 3 ───────────────────── fuse 32 ┘
                         └ 128, k 7 ───────────── fuse 128 ┘
                             └ 160, k 7 ─────── fuse 160 ┘      up: linear, 3x3 convolution
                                 └ 256, k 7 ┘

    block:  x + BN(gelu(depthwise k(x))), then 1x1 to four times the width and back; a 3x3 behind
    fuse:   3x3 in two groups, over the skip and over what comes up; then 1x1 out and back

Every convolution of block and fuse is followed by GELU and BatchNorm, in this order.
"""

import keras
from keras import layers

from zoo.blocks.convolution import batch_norm, conv_relu, convolution, gelu
from zoo.blocks.depthwise import depthwise, halved_convolution
from zoo.blocks.ends import entry, head
from zoo.blocks.sampling import pool, up_linear
from zoo.card import Card, Recipe, Reference, Variant

CARD = Card(
    title="CMUNeXt",
    family="large kernels",
    paper="Tang et al.: CMUNeXt: An Efficient Medical Image Segmentation Network based on Large "
    "Kernel and Skip Fusion. ISBI 2024, arXiv 2308.01239",
    source="FengheTan9/CMUNeXt",
    ranks=(2, 3),
    input_shape=(256, 256, 3),
    classes=1,
    references=(
        Reference((256, 256, 3), 1, params=3_163_073, trainable=3_149_185, gflops=14.461),
        Reference((256, 256, 3), 1, "small", 421_473, 417_505, gflops=2.025),
        Reference((256, 256, 3), 1, "large", 8_316_417, 8_286_721, gflops=33.707),
    ),
    recipe=Recipe(
        loss="bce+dice",
        optimiser="sgd",
        learning_rate=1e-2,
        batch_size=8,
        epochs=300,
        normalisation="zscore_brain",
        augmentation={"flip": 0.5, "flip_vertical": 0.5},
        size=(256, 256),
        note="main.py, for breast ultrasound; there, images are normalised as ImageNet's.",
        differs=(
            "The rate stays where it is: theirs decays to nothing, (1 - step / steps) ** .9.",
            "Momentum is .99 for every SGD here, .9 there, with weight decay of 1e-4.",
            "Without quarter turns; a flip there is one of both axes or either.",
            "The best epoch is the best by Dice; there, by IoU.",
        ),
    ),
    variants={
        "small": Variant(
            "CMUNeXt-S",
            {"widths": (8, 16, 32, 64, 128), "depths": (1, 1, 1, 1, 1), "kernels": (3, 3, 7, 7, 9)},
        ),
        "large": Variant(
            "CMUNeXt-L", {"widths": (32, 64, 128, 256, 512), "depths": (1, 1, 1, 6, 3)}
        ),
    },
    deviations=(
        "BatchNorm's epsilon is 1e-3, the moving variance that of the batch (Keras); the source "
        "has PyTorch's, 1e-5 and n / (n - 1) of that variance.",
        "Volumes are ours: the same blocks with cubes for squares.",
    ),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (16, 32, 128, 160, 256),
    depths: tuple[int, ...] = (1, 1, 1, 3, 1),
    kernels: tuple[int, ...] = (3, 3, 7, 7, 7),
) -> keras.Model:
    """Build CMUNeXt; `depths` are the blocks a level, `kernels` the sides of their kernels."""
    image = x = entry(input_shape, multiple=2 ** (len(widths) - 1))
    x = conv_relu(x, widths[0], name="stem")
    skips = []
    for level, filters in enumerate(widths):
        x = pool(x, name=f"pool{level - 1}") if level else x
        for number in range(depths[level]):
            x = _block(x, kernels[level], name=f"down{level}_{number}")
        x = conv_relu(x, filters, name=f"down{level}_leave")
        skips.append(x)
    for level, skip in reversed(list(enumerate(skips[:-1]))):
        x = up_linear(x, name=f"up{level}_linear")
        x = conv_relu(x, widths[level], name=f"up{level}_enter")
        x = layers.Concatenate(name=f"join{level}")([skip, x])
        x = _finish(halved_convolution(x, x.shape[-1], name=f"up{level}_fuse"), f"up{level}_fuse")
        x = _out_and_back(x, 4 * widths[level], widths[level], name=f"up{level}")
    return keras.Model(image, head(x, classes), name="cmunext")


def _block(x: keras.KerasTensor, kernel: int, *, name: str) -> keras.KerasTensor:
    y = _finish(depthwise(x, kernel, name=f"{name}_depthwise"), f"{name}_depthwise")
    x = layers.Add(name=f"{name}_add")([x, y])
    return _out_and_back(x, 4 * x.shape[-1], x.shape[-1], name=name)


def _out_and_back(x: keras.KerasTensor, wide: int, filters: int, *, name: str) -> keras.KerasTensor:
    for step, width in (("out", wide), ("back", filters)):
        x = _finish(convolution(x, width, 1, name=f"{name}_{step}"), f"{name}_{step}")
    return x


def _finish(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return batch_norm(gelu(x, name=f"{name}_gelu"), name=f"{name}_norm")
