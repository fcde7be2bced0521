"""Swin UNETR: shifted-window transformer in, residual convolutions out (Hatamizadeh et al. 2022).

    image ───────────────────────────── res 48 ──────────────────── up0 48 ─ mask
      └ 2, stride 2 ─ 48 ────────────── res 48 ──────────────── up1 48 ┘
          └ swin, merge ─ 96 ────────── res 96 ──────────── up2 96 ┘
              └ swin, merge ─ 192 ───── res 192 ─────── up3 192 ┘
                  └ swin, merge ─ 384 ───────────── up4 384 ┘
                      └ swin, merge ─ 768 ─ res 768 ─┘

    swin:   twice x += attention in windows of 7(x7x7); x += MLP; the second time windows shift by 3
    merge:  neighbours side by side, normalised, projected to double width
    up:     transposed convolution, concat, res; res: two convolutions, InstanceNorm, leaky ReLU

A U-Net whose encoder attends in place of convolving.
"""

import itertools

import keras
from keras import layers

from zoo.blocks.convolution import convolution, rank_of
from zoo.blocks.ends import entry, head, require_static
from zoo.blocks.residual import residual, up_residual
from zoo.blocks.transformer import fitting, layer_norm, mlp
from zoo.blocks.windows import Partition, Reunion, WindowAttention
from zoo.card import Card, Published, Recipe, Reference, Variant

CARD = Card(
    title="Swin UNETR",
    family="transformers",
    paper="Hatamizadeh et al.: Swin UNETR: Swin Transformers for Semantic Segmentation of Brain "
    "Tumors in MRI Images. BrainLes 2021, arXiv 2201.01266",
    source="Project-MONAI/MONAI (networks/nets/swin_unetr.py, patch merging as by default)",
    ranks=(2, 3),
    input_shape=(128, 128, 128, 4),
    classes=3,
    references=(
        Reference((128, 128, 128, 4), 3, None, 62_191_941, 62_191_941, gflops=1543.287),
        Reference((128, 128, 128, 4), 3, "small", 15_705_621, 15_705_621, gflops=407.872),
        Reference((256, 256, 3), 1, "small", 6_302_875, 6_302_875, gflops=9.232),
    ),
    recipe=Recipe(
        loss="dice",
        optimiser="adam",
        learning_rate=8e-4,
        batch_size=1,
        epochs=800,
        normalisation="zscore_brain",
        augmentation={"flip": 0.5, "flip_vertical": 0.5, "flip_depth": 0.5},
        size=(128, 128, 128),
        note="One volume a GPU, on eight of them; five folds.",
        differs=(
            "A rate that stays: theirs warms up and falls along a cosine.",
            "Adam without their weight decay of 1e-5.",
            "Without their shift and scale of intensities.",
            "Classes that exclude each other; theirs are three regions within each other, each a "
            "sigmoid.",
        ),
    ),
    claims=(
        Published(
            "BraTS 2021",
            {"dice": 0.913, "dice_et": 0.891, "dice_wt": 0.933, "dice_tc": 0.917},
            "mean of five folds",
        ),
    ),
    variants={
        "small": Variant("feature size 24", {"widths": (24, 48, 96, 192, 384)}),
    },
    deviations=(
        "Three classes are a softmax; the source's three are regions, each a sigmoid of its own.",
        "A width is rounded to a multiple of its stage's heads: 3, 6, 12, 24 whatever the width.",
        "Sides are stated, and divisible by 32: windows and masks follow from them.",
        "Norms pass no gradient of an empty slice; in PyTorch each makes it 316 times as large.",
    ),
    flaws=(
        "In volumes patch merging takes two of eight neighbours twice, and two of them, (1, 1, 0) "
        "and (0, 1, 1), never: MONAI's default, which published weights rely on. Kept.",
        "Where a side is shorter than a window, biases are those of the full window's first "
        "places, whose offsets are others. Kept; it concerns stages below 7 voxels.",
        "What fills the last windows, zeros behind the normalisation, is attended to. Kept.",
    ),
)

# Neighbours by their place, in the order in which they stand side by side.
NEIGHBOURS = {
    2: tuple(itertools.product((0, 1), repeat=2)),
    3: (
        *((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)),
        *((1, 0, 1), (0, 1, 0), (0, 0, 1), (1, 1, 1)),
    ),
}


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (48, 96, 192, 384, 768),
    heads: tuple[int, ...] = (3, 6, 12, 24),
    depth: int = 2,
    window: int = 7,
) -> keras.Model:
    """Build Swin UNETR; `widths` are the stages', the last the bottleneck's."""
    image = entry(input_shape, multiple=2 ** len(widths))
    require_static(input_shape, "swin_unetr")
    widths = (*(fitting(width, n) for width, n in zip(widths, heads, strict=False)), widths[-1])
    x = convolution(image, widths[0], 2, strides=2, name="embed")
    hidden = [layer_norm(x, affine=False, name="hidden0")]
    for stage, count in enumerate(heads):
        for number in range(depth):
            x = _swin(x, count, window, number % 2 == 1, name=f"stage{stage}_{number}")
        x = _merged(x, widths[stage + 1], name=f"merge{stage}")
        hidden.append(layer_norm(x, affine=False, name=f"hidden{stage + 1}"))
    *fine, coarse, x = hidden
    skips = [residual(image, widths[0], name="skip0")]
    skips += [residual(y, y.shape[-1], name=f"skip{n}") for n, y in enumerate(fine, start=1)]
    x = residual(x, widths[-1], name="bottleneck")
    for level, skip in reversed([*enumerate([*skips, coarse])]):
        x = up_residual(x, skip, level)
    return keras.Model(image, head(x, classes), name="swin_unetr")


def _swin(
    x: keras.KerasTensor, heads: int, window: int, shifted: bool, *, name: str
) -> keras.KerasTensor:
    """Attend within windows, then an MLP at each place; each is added to what went in."""
    width, where = x.shape[-1], {"sides": x.shape[1:-1], "window": window, "shifted": shifted}
    y = Partition(**where, name=f"{name}_cut")(layer_norm(x, name=f"{name}_norm0"))
    y = layers.Dense(3 * width, name=f"{name}_qkv")(y)
    y = WindowAttention(**where, heads=heads, name=f"{name}_attend")(y)
    y = layers.Dense(width, name=f"{name}_project")(y)
    x = layers.Add(name=f"{name}_add0")([x, Reunion(**where, name=f"{name}_paste")(y)])
    y = mlp(layer_norm(x, name=f"{name}_norm1"), 4 * width, name=f"{name}_mlp")
    return layers.Add(name=f"{name}_add1")([x, y])


def _merged(x: keras.KerasTensor, width: int, *, name: str) -> keras.KerasTensor:
    """Halve every side: neighbours become channels, and those are projected."""
    every = slice(None)
    found = [
        x[(every, *(slice(start, None, 2) for start in place), every)]
        for place in NEIGHBOURS[rank_of(x)]
    ]
    x = layers.Concatenate(name=f"{name}_join")(found)
    x = layer_norm(x, name=f"{name}_norm")
    return layers.Dense(width, use_bias=False, name=name)(x)
