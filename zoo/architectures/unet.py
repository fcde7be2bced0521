"""U-Net, the baseline (Ronneberger, Fischer, Brox 2015).

    image ─ down0 ──────────────── skip ─────────────── up0 ─ mask
              └ down1 ──────────── skip ──────────── up1 ┘
                  └ down2 ──────── skip ──────── up2 ┘
                      └ down3 ──── skip ──── up3 ┘
                          └──── bottleneck ────┘

With 'same' padding, so that the mask has the size of the image, and BatchNorm, which the paper
does not have; the variant `plain` leaves it out.
"""

import keras
from keras import layers

from zoo.blocks.convolution import double_conv
from zoo.blocks.ends import entry, head
from zoo.blocks.sampling import pool, up_transposed
from zoo.card import Card, Recipe, Reference, Variant

CARD = Card(
    title="U-Net",
    family="U-Nets",
    paper="Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image "
    "Segmentation. MICCAI 2015, arXiv 1505.04597",
    source="the paper",
    ranks=(2, 3),
    input_shape=(256, 256, 3),
    classes=1,
    references=(
        Reference((256, 256, 3), 1, params=31_055_297, trainable=31_043_521, gflops=96.335),
        Reference((256, 256, 3), 1, "plain", 31_031_745, 31_031_745, gflops=96.335),
    ),
    recipe=Recipe(
        loss="bce",
        optimiser="sgd",
        learning_rate=1e-2,
        batch_size=1,
        epochs=100,
        normalisation="zscore_brain",
        augmentation={"rotation": 15, "shift": 0.05, "elastic": 10},
        size=(512, 512),
        note="SGD with momentum .99, one image a batch and elastic deformation (10 pixels) are the "
        "paper's; it states neither the rate nor the epochs, nor how far it turns and shifts: .01, "
        "100, 15 degrees and .05 are ours.",
        differs=(
            "The cross-entropy is not weighted towards borders between touching cells.",
            "Without dropout at the end of the way down.",
            "Displacements are drawn on a grid of 5x5; the paper's is 3x3.",
        ),
    ),
    variants={"plain": Variant("without BatchNorm, as printed", {"norm": False})},
    deviations=(
        "'same' instead of valid padding, so that no border of the image is lost.",
        "BatchNorm behind each convolution, as every re-implementation has it; `plain` has none.",
    ),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024),
    norm: bool = True,
) -> keras.Model:
    """Build the U-Net; `widths` are the encoder's, the last one the bottleneck's."""
    *encoder, bottleneck = widths
    image = x = entry(input_shape, multiple=2 ** len(encoder))
    skips = []
    for level, filters in enumerate(encoder):
        x = double_conv(x, filters, name=f"down{level}", norm=norm)
        skips.append(x)
        x = pool(x, name=f"pool{level}")
    x = double_conv(x, bottleneck, name="bottleneck", norm=norm)
    for level, filters in reversed(list(enumerate(encoder))):
        x = up_transposed(x, filters, name=f"up{level}_transposed")
        x = layers.Concatenate(name=f"join{level}")([skips[level], x])
        x = double_conv(x, filters, name=f"up{level}", norm=norm)
    return keras.Model(image, head(x, classes), name="unet")
