"""AR2-UNet: attention recurrent residual U-Net (Katsamenis et al. 2023; R2AttU_Net).

    image ─ RRCNN 64 ─────────────────── gate0 ─ RRCNN 64 ─ mask
               └ RRCNN 128 ───────────── gate1 ─ RRCNN 128 ┘
                   └ RRCNN 256 ───────── gate2 ─ RRCNN 256 ┘
                       └ RRCNN 512 ───── gate3 ─ RRCNN 512 ┘
                            └──── RRCNN 1024 ────┘

    RRCNN:  x0 = conv1x1(x);  out = x0 + R(R(x0))
    R(x):   y = u(x), then t times y = u(x + y), with ONE convolution and BatchNorm in u

Attention U-Net with recurrent residual blocks in place of its pairs of convolutions.
"""

import keras
from keras import layers

from zoo.blocks.attention import additive_gate
from zoo.blocks.ends import entry, head
from zoo.blocks.recurrent import recurrent_residual
from zoo.blocks.sampling import pool, up_conv
from zoo.card import Card, Published, Recipe, Reference, Variant

CARD = Card(
    title="AR2-UNet",
    family="recurrent U-Nets",
    paper="Katsamenis et al.: A Few-Shot Attention Recurrent Residual U-Net for Crack "
    "Segmentation. arXiv 2303.01582",
    source="LeeJunHyun/Image_Segmentation (R2AttU_Net); brain MRI: "
    "Mausoleoo/Attention-Recurrent-Residual-UNet-for-Brain-MR-Image-Segmentation",
    ranks=(2, 3),
    input_shape=(256, 256, 3),
    classes=1,
    references=(
        Reference((256, 256, 3), 1, params=39_458_549, trainable=39_442_925, gflops=307.132),
        Reference((256, 256, 3), 1, "own_statistics", 39_482_101, 39_442_925, gflops=307.132),
        Reference((256, 256, 3), 1, "own_norms", 39_505_653, 39_466_477, gflops=307.132),
    ),
    recipe=Recipe(
        loss="bce",
        optimiser="adam",
        learning_rate=1e-4,
        batch_size=8,
        epochs=30,
        normalisation="minmax_slice",
        size=(256, 256),
        note="Inputs in [0, 1]; satisfied after 10 to 15 epochs. Optimiser, rate and batch are "
        "not stated in our source: Adam, 1e-4 and 8 are ours.",
        differs=(
            "LeeJunHyun's code has Adam with beta 1 of .5, batches of 1, and draws its rate "
            "(below 5.005e-4), its epochs (100 to 250) and its share of augmented pictures anew in "
            "every run: a search, and no recipe.",
        ),
    ),
    claims=(
        Published(
            "LGG",
            {
                "iou": 0.373,
                "dice": 0.513,
                "accuracy": 0.9933,
                "precision": 0.704,
                "recall": 0.437,
            },
            "Mausoleoo's form, with its bug",
        ),
        Published(
            "ISIC 2018 (skin)",
            {"f1": 0.691, "jaccard": 0.592},
            "LeeJunHyun's comparison, where the U-Net has .647 and .549",
        ),
    ),
    variants={
        "own_statistics": Variant(
            "moving statistics of its own for each step of a unit; what is trained stays the same",
            {"norm": "own_statistics"},
        ),
        "own_norms": Variant(
            "a BatchNorm of its own, gamma and beta too, for each step of a unit",
            {"norm": "own"},
        ),
    },
    deviations=(
        "The canonical R2AttU_Net: no ReLU behind the 1x1, gates at half width, 39,442,925 "
        "trainable parameters. Mausoleoo's code has 39,796,182.",
        "t = 2, as in that network's class and Mausoleoo's; LeeJunHyun's main.py asks for 3.",
        "BatchNorm's epsilon is 1e-3, the moving variance that of the batch (Keras); LeeJunHyun's "
        "code has PyTorch's, 1e-5 and n / (n - 1) of that variance.",
    ),
    flaws=(
        "One BatchNorm is called three times on signals that differ and keeps one pair of moving "
        "statistics for them, in the canonical code too: what it learns with batch statistics is "
        "partly lost in inference. Kept; the variants own_statistics and own_norms mend it.",
        "Mausoleoo's code gates the decoder's own signal and never concatenates encoder features. "
        "Not kept.",
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
    """Build AR2-UNet; `steps` is the t of its recurrent units, `norm` one of `recurrent.NORMS`."""
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
        gated = additive_gate(skips[level], x, max(1, filters // 2), name=f"gate{level}")
        x = layers.Concatenate(name=f"join{level}")([gated, x])
        x = recurrent_residual(x, filters, steps, name=f"up{level}", norm=norm)
    return keras.Model(image, head(x, classes), name="ar2_unet")
