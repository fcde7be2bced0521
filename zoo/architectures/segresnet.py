"""SegResNet (Myronenko 2018): the network that won BraTS 2018, without its autoencoder.

    volume ─ conv 16 ─ 1 block ──────────────────── (+) 1 block ─ GN, ReLU ─ mask
                         └ 32, 2 blocks ────── (+) 1 block ┘
                             └ 64, 2 blocks ─ (+) 1 block ┘      down: convolution of stride 2
                                 └ 128, 4 blocks ┘               up: 1x1, then linear

    block:  out = x + conv(relu(GN(conv(relu(GN(x))))))

More blocks on the way down than up; skips are added, not concatenated; GroupNorm of 8 groups.
"""

import keras
from keras import layers

from zoo.blocks.convolution import convolution, relu
from zoo.blocks.ends import entry, head
from zoo.blocks.normalisation import group_norm
from zoo.blocks.sampling import down_strided, up_linear
from zoo.card import Card, Published, Recipe, Reference, Variant

CARD = Card(
    title="SegResNet",
    family="residual U-Nets",
    paper="Myronenko: 3D MRI brain tumor segmentation using autoencoder regularization. BrainLes "
    "2018, arXiv 1810.11654",
    source="Project-MONAI/MONAI (SegResNet)",
    ranks=(2, 3),
    input_shape=(128, 128, 128, 4),
    classes=3,
    references=(
        Reference((128, 128, 128, 4), 3, None, 4_702_227, 4_702_227, gflops=296.017),
        Reference((128, 128, 128, 4), 3, "wide", 18_798_627, 18_798_627, gflops=1169.171),
        Reference((256, 256, 3), 1, "wide", 6_299_073, 6_299_073, gflops=31.122),
    ),
    recipe=Recipe(
        loss="dice",
        optimiser="adam",
        learning_rate=1e-4,
        batch_size=1,
        epochs=300,
        normalisation="zscore_brain",
        augmentation={"flip": 0.5, "flip_vertical": 0.5, "flip_depth": 0.5},
        size=(160, 192, 128),
        note="The paper's, for the wide form.",
        differs=(
            "The rate stays where it is: theirs decays to nothing, (1 - epoch / 300) ** .9.",
            "Without the autoencoder's branch and its losses (.1 each), L2 of 1e-5 and dropout "
            "of .2 behind the first convolution.",
            "Without random shifts (.1 of a deviation) and scales (.9 to 1.1) of intensity.",
            "Three overlapping regions are three sigmoid channels there; here a protocol's target.",
        ),
    ),
    claims=(
        Published(
            "BraTS 2018, test",
            {"dice_et": 0.7664, "dice_wt": 0.8839, "dice_tc": 0.8154},
            "an ensemble of ten, with the autoencoder's branch",
        ),
    ),
    variants={"wide": Variant("32 filters, as the paper", {"widths": (32, 64, 128, 256)})},
    deviations=(
        "A width that 8 groups don't divide has as many groups as divide both; MONAI refuses it.",
        "Softmax over classes; the paper's output is three sigmoids, one a region.",
        "Norms pass no gradient of an empty slice; in PyTorch each makes it 316 times as large.",
    ),
)

DOWN = (1, 2, 2, 4)  # blocks a level; one each on the way up


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (16, 32, 64, 128),
    groups: int = 8,
) -> keras.Model:
    """Build SegResNet; `widths` are the levels', the first one the stem's."""
    image = x = entry(input_shape, multiple=2 ** (len(widths) - 1))
    x = convolution(x, widths[0], bias=False, name="stem")
    skips = []
    for level, filters in enumerate(widths):
        if level:
            x = down_strided(x, filters, bias=False, name=f"down{level}_strided")
        for number in range(DOWN[level]):
            x = _block(x, filters, groups, name=f"down{level}_{number}")
        skips.append(x)
    for level, skip in reversed(list(enumerate(skips[:-1]))):
        x = convolution(x, widths[level], 1, bias=False, name=f"up{level}_project")
        x = up_linear(x, name=f"up{level}_linear")
        x = layers.Add(name=f"join{level}")([x, skip])
        x = _block(x, widths[level], groups, name=f"up{level}_0")
    x = relu(group_norm(x, groups, name="last_norm"), name="last_relu")
    return keras.Model(image, head(x, classes), name="segresnet")


def _block(x: keras.KerasTensor, filters: int, groups: int, *, name: str) -> keras.KerasTensor:
    y = x
    for step in range(2):
        y = relu(group_norm(y, groups, name=f"{name}_norm{step}"), name=f"{name}_relu{step}")
        y = convolution(y, filters, bias=False, name=f"{name}_conv{step}")
    return layers.Add(name=f"{name}_add")([x, y])
