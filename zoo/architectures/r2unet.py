"""R2U-Net: recurrent residual U-Net (Alom et al. 2018).

    image ─ RRCNN 64 ────────────────────── RRCNN 64 ─ mask
               └ RRCNN 128 ──────────────── RRCNN 128 ┘
                   └ RRCNN 256 ──────────── RRCNN 256 ┘
                       └ RRCNN 512 ──────── RRCNN 512 ┘
                            └──── RRCNN 1024 ────┘

    RRCNN:  x0 = conv1x1(x);  out = x0 + R(R(x0))
    R(x):   y = u(x), then t times y = u(x + y), with ONE convolution and BatchNorm in u

The parent of AR2-UNet, which gates the skips, and of Mod-R2AU-Net.
"""

import keras
from keras import layers

from zoo.blocks.ends import entry, head
from zoo.blocks.recurrent import recurrent_residual
from zoo.blocks.sampling import pool, up_conv
from zoo.card import Card, Published, Recipe, Reference

CARD = Card(
    title="R2U-Net",
    family="recurrent U-Nets",
    paper="Alom et al.: Recurrent Residual Convolutional Neural Network based on U-Net (R2U-Net) "
    "for Medical Image Segmentation. arXiv 1802.06955",
    source="LeeJunHyun/Image_Segmentation (R2U_Net)",
    ranks=(2, 3),
    input_shape=(256, 256, 3),
    classes=1,
    references=(
        Reference((256, 256, 3), 1, params=39_105_089, trainable=39_091_393, gflops=304.976),
    ),
    recipe=Recipe(
        loss="bce",
        optimiser="adam",
        learning_rate=2e-4,
        batch_size=32,
        epochs=250,
        normalisation="minmax_slice",
        size=(64, 64),
        note="The paper's for skin lesions and lungs: Adam of 2e-4 and binary cross-entropy, "
        "batches of 32. 250 epochs are those for vessels, where it states a number at all; the "
        "normalisation is ours.",
        differs=(
            "LeeJunHyun's code draws its rate, its epochs (100 to 250) and its share of augmented "
            "pictures anew in every run.",
        ),
    ),
    claims=(
        Published(
            "ISIC 2018 (skin)",
            {"f1": 0.679, "jaccard": 0.581},
            "LeeJunHyun's comparison, where the U-Net has .647 and .549",
        ),
    ),
    deviations=(
        "t = 2, as in LeeJunHyun's class and the paper's main form; his main.py asks for 3.",
        "BatchNorm's epsilon is 1e-3, the moving variance that of the batch (Keras); LeeJunHyun's "
        "code has PyTorch's, 1e-5 and n / (n - 1) of that variance.",
    ),
    flaws=(
        "One BatchNorm is called three times on signals that differ and keeps one pair of moving "
        "statistics for them: what it learns with batch statistics is partly lost in inference. "
        "Kept; the setting norm='own_statistics' mends it, as the variant of ar2_unet does.",
    ),
    exempt={
        "learns by heart in inference": {
            "": "one BatchNorm's moving statistics serve three calls whose signals differ",
        }
    },
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024),
    steps: int = 2,
    norm: str = "shared",
) -> keras.Model:
    """Build R2U-Net; `steps` is the t of its recurrent units, `norm` one of `recurrent.NORMS`."""
    *encoder, bottleneck = widths
    image = x = entry(input_shape, multiple=2 ** len(encoder))
    skips = []
    for level, filters in enumerate(encoder):
        x = recurrent_residual(x, filters, steps, name=f"down{level}", norm=norm)
        skips.append(x)
        x = pool(x, name=f"pool{level}")
    x = recurrent_residual(x, bottleneck, steps, name="bottleneck", norm=norm)
    for level, filters in reversed(list(enumerate(encoder))):
        x = up_conv(x, filters, name=f"up{level}_enter")
        x = layers.Concatenate(name=f"join{level}")([skips[level], x])
        x = recurrent_residual(x, filters, steps, name=f"up{level}", norm=norm)
    return keras.Model(image, head(x, classes), name="r2unet")
