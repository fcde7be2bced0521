"""HNOSeg-XS: a Hartley neural operator of 28 thousand parameters (Wong et al. 2025).

    image ─ 2, stride 2 ─ 1x1 ─ b0 ─ b1 ─ b2 ─ b3 ─ b4 ─ b5 ─ b6 ─ b7 ─ linear up ─ 1x1 ─ mask
                                 │    │    └─────────────┘    │    │
                                 │    └───────────────────────┘    │
                                 └─────────────────────────────────┘
    block:  x = 1x1(x) where a skip was joined;  z = low frequencies of x (Hartley)
            three times z = selu(z + Wz), W shared by all frequencies
            out = selu(1x1(concat[selu(inverse(z)), x]))

No convolution looks beside its place: what lies around enters by the frequencies alone, all of it
at once. As weights belong to frequencies, those of small images serve large ones.
"""

import keras
from keras import layers

from zoo.blocks.convolution import convolution
from zoo.blocks.ends import entry, head, require_static
from zoo.blocks.hartley import Hartley, InverseHartley
from zoo.blocks.resizing import resize_linear
from zoo.card import Card, Published, Recipe, Reference

CARD = Card(
    title="HNOSeg-XS",
    family="frequencies",
    paper="Wong, Wang, Syeda-Mahmood: HNOSeg-XS: Extremely Small Hartley Neural Operator for "
    "Efficient and Resolution-Robust 3D Image Segmentation. IEEE TMI 2025, arXiv 2507.08205",
    source="IBM/multimodal-3d-image-segmentation (nets/hnosegxs.py)",
    ranks=(2, 3),
    input_shape=(120, 160, 160, 4),
    classes=4,
    references=(Reference((120, 160, 160, 4), 4, None, 28_248, 28_248, gflops=22.864),),
    recipe=Recipe(
        loss="dice",
        optimiser="adam",
        learning_rate=5e-3,
        batch_size=1,
        epochs=300,
        normalisation="zscore_brain",
        augmentation={"rotation": 30, "shift": 0.2, "zoom": 0.2, "affine_probability": 0.8},
        size=(78, 120, 120),
        note="The rate, batch, epochs and augmentation are those of the authors' BraTS 2023 "
        "settings, on volumes of half the resolution.",
        differs=(
            "Adam for Adamax, and a rate that stays: theirs falls to 1e-3 along a cosine.",
            "The Dice loss for one minus Pearson's correlation coefficient.",
        ),
    ),
    claims=(
        Published(
            "BraTS 2023",
            {"params_m": 0.0347},
            "fewer than 34.7 thousand parameters on each of three data sets",
        ),
    ),
    deviations=(
        "Of 11.43 G multiply-adds 6.12 are convolutions, as in the source; 5.31 are transforms, "
        "products with small matrices here and fast Fourier transforms there.",
        "Sides are even; the source takes any. They are stated: the transforms follow from them.",
        "Biases begin at 0, theirs within .001 of it.",
        "`modes` are for depth, height and width; a slice has the last two.",
    ),
    flaws=(
        "Nothing holds the scale of what comes back from the frequencies: untrained, all of them "
        "meet in one voxel, and float32's rounding grows from block to block, to some 1e-3 of a "
        "probability in volumes. Kept.",
    ),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (24,),
    blocks: int = 8,
    steps_a_block: int = 3,
    modes: tuple[int, ...] = (10, 14, 14),
) -> keras.Model:
    """Build HNOSeg-XS; its one width is that of all layers."""
    (filters,) = widths
    image = entry(input_shape, multiple=2)
    require_static(input_shape, "hnoseg_xs")
    *sides, _ = input_shape
    pad = {2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}[len(sides)]
    x = _conv(pad(1, name="enter_pad")(image), filters, 2, strides=2, name="enter")
    x = _conv(x, filters, 1, name="project")
    skips: list[keras.KerasTensor] = []
    for number in range(blocks):
        if number > blocks // 2:
            x = layers.Concatenate(name=f"join{number}")([x, skips[blocks - 1 - number]])
            x = _conv(x, filters, 1, name=f"block{number}_map")
        x = _block(x, steps_a_block, modes[-len(sides) :], name=f"block{number}")
        skips.append(x)
    x = resize_linear(x, image.shape[1:-1], name="up")
    return keras.Model(image, head(x, classes, bias=False), name="hnoseg_xs")


def _block(
    x: keras.KerasTensor, steps: int, modes: tuple[int, ...], *, name: str
) -> keras.KerasTensor:
    """Mix channels of low frequencies, and join what comes back with what went in."""
    filters = x.shape[-1]
    z = Hartley(modes, name=f"{name}_hartley")(x)
    for step in range(steps):
        mixed = convolution(
            z, filters, 1, bias=False, initializer="lecun_normal", name=f"{name}_mix{step}"
        )
        z = _selu(layers.Add(name=f"{name}_add{step}")([mixed, z]), name=f"{name}_selu{step}")
    z = InverseHartley(x.shape[1:-1], name=f"{name}_inverse")(z)
    z = _selu(z, name=f"{name}_selu")
    z = layers.Concatenate(name=f"{name}_concat")([z, x])
    return _conv(z, filters, 1, name=name)


def _conv(
    x: keras.KerasTensor, filters: int, kernel: int, *, name: str, strides: int = 1
) -> keras.KerasTensor:
    """Convolve and pass on through SELU, which keeps mean and variance by itself."""
    x = convolution(
        x, filters, kernel, strides=strides, initializer="lecun_normal", name=f"{name}_conv"
    )
    return _selu(x, name=name)


def _selu(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    return layers.Activation("selu", name=name)(x)
