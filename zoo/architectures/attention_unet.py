"""Attention U-Net (Oktay et al. 2018).

    image ─ down0 ───────── gate0 ── up0 ─ mask        gate: 1x1 on the skip and on the
              └ down1 ───── gate1 ── up1 ┘             decoder's signal, add, ReLU, 1x1 -> 1,
                  └ ...                  │             sigmoid; multiplies the SKIP
                      └── bottleneck ────┘

Its parent is the U-Net; it differs by a gate on every skip and by repetition and a convolution
instead of transposed convolutions on the way up.
"""

import keras
from keras import layers

from zoo.blocks.attention import additive_gate
from zoo.blocks.convolution import conv_relu, double_conv
from zoo.blocks.ends import entry, head
from zoo.blocks.sampling import pool, up_conv, up_linear
from zoo.card import Card, Published, Recipe, Reference, Variant

CARD = Card(
    title="Attention U-Net",
    family="attention gates",
    paper="Oktay et al.: Attention U-Net: Learning Where to Look for the Pancreas. MIDL 2018, "
    "arXiv 1804.03999",
    source="LeeJunHyun/Image_Segmentation (AttU_Net); variant seed: "
    "soyelshyngys/Brain-Tumor-Segmentation-Research (BraTS 2020)",
    ranks=(2, 3),
    input_shape=(256, 256, 3),
    classes=1,
    references=(
        Reference((256, 256, 3), 1, params=34_894_197, trainable=34_878_573, gflops=132.85),
        Reference((256, 256, 3), 4, "seed", 31_731_144, 31_731_144, gflops=113.556),
    ),
    recipe=Recipe(
        loss="categorical_focal",
        loss_settings={"gamma": 2.0, "alpha": 0.25},
        optimiser="adam",
        learning_rate=1e-3,
        batch_size=20,
        epochs=35,
        normalisation="minmax_slice",
        schedule={"factor": 0.2, "patience": 2, "floor": 1e-6},
        early_stopping=5,
        slices="tumour",
        size=(256, 256),
        monitor="val_loss",
        note="A batch is 4 patients x 5 tumour slices. Alpha weighs every class alike.",
        differs=(
            "An epoch has every tumour slice once; there, 5 of each patient, drawn with "
            "replacement, in batches of 4 patients.",
            "Validation has all slices of its patients; there, 5 tumour slices of each.",
            "The author's weights had been trained before, 10 epochs by a Dice of weights .1, .3, "
            ".3, .3 and 13 by a weighted cross-entropy; here they are fresh.",
            "The published network of the recipe is the variant seed, with FLAIR, T1ce and zeros "
            "as channels and Glorot's initial weights (He's here).",
            "Any gain makes an epoch a better one; for the rate, there, a gain of 1e-4.",
            "Slices are stretched to [0, 1] before they are resized; there, behind it.",
        ),
    ),
    claims=(
        Published(
            "BraTS 2020",
            {
                "dice_background": 0.9679,
                "dice_ncr": 0.0831,
                "dice_ed": 0.1630,
                "dice_et": 0.0704,
                "dice_mean": 0.3211,
                "val_loss": 0.0081,
                "accuracy": 0.98,
                "mean_iou": 0.3195,
            },
            "variant seed; tumour slices only; the mean Dice counts the background",
        ),
        Published(
            "ISIC 2018 (skin)",
            {"f1": 0.665, "jaccard": 0.566},
            "LeeJunHyun's comparison, where the U-Net has .647 and .549",
        ),
    ),
    variants={
        "seed": Variant(
            "the BraTS project's: no BatchNorm, full-width gates, bilinear x2 and 2x2 convolution",
            {"norm": False, "half_gates": False, "bilinear": True},
        )
    },
    deviations=(
        "Repetition x2, not bilinear, on the way up, as LeeJunHyun's code has it.",
        "BatchNorm's epsilon is 1e-3, the moving variance that of the batch (Keras); LeeJunHyun's "
        "code has PyTorch's, 1e-5 and n / (n - 1) of that variance.",
    ),
    flaws=(
        "The BraTS project validates on tumour slices only, so false positives elsewhere are free.",
        "Its mean Dice of .3211 counts the background (.9679); the foreground mean is .1055.",
    ),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024),
    norm: bool = True,
    half_gates: bool = True,
    bilinear: bool = False,
) -> keras.Model:
    """Build the Attention U-Net; `half_gates` adds skip and signal at half their width."""
    *encoder, bottleneck = widths
    image = x = entry(input_shape, multiple=2 ** len(encoder))
    skips = []
    for level, filters in enumerate(encoder):
        x = double_conv(x, filters, name=f"down{level}", norm=norm)
        skips.append(x)
        x = pool(x, name=f"pool{level}")
    x = double_conv(x, bottleneck, name="bottleneck", norm=norm)
    for level, filters in reversed(list(enumerate(encoder))):
        if bilinear:
            x = up_linear(x, name=f"up{level}_linear")
            x = conv_relu(x, filters, 2, name=f"up{level}_enter", norm=norm)
        else:
            x = up_conv(x, filters, name=f"up{level}_enter", norm=norm)
        inter = max(1, filters // 2) if half_gates else filters
        gated = additive_gate(skips[level], x, inter, name=f"gate{level}", norm=norm)
        x = layers.Concatenate(name=f"join{level}")([gated, x])
        x = double_conv(x, filters, name=f"up{level}", norm=norm)
    return keras.Model(image, head(x, classes), name="attention_unet")
