"""UNet++: nested U-Nets with dense skips (Zhou et al. 2018).

    X00 ── X01 ── X02 ── X03 ── X04 ─ mask      X(i,j) = two convolutions over everything before it
      └ X10 ── X11 ── X12 ── X13 ┘              on its level, and X(i+1,j-1) transposed up
          └ X20 ── X21 ── X22 ┘
              └ X30 ── X31 ┘                    `supervised`: a head on each of X01 to X04, and the
                  └ X40 ┘                       mean of their masks ("accurate mode")

A U-Net whose skips pass convolutions of their own, so that they meet the decoder half-way.
"""

import keras
from keras import layers

from zoo.blocks.convolution import convolution, double_conv
from zoo.blocks.ends import entry, head, probabilities
from zoo.blocks.sampling import pool, up_transposed
from zoo.card import Card, Published, Recipe, Reference, Variant

CARD = Card(
    title="UNet++",
    family="U-Nets",
    paper="Zhou et al.: UNet++: A Nested U-Net Architecture for Medical Image Segmentation. "
    "DLMIA 2018, arXiv 1807.10165",
    source="MrGiovanni/UNetPlusPlus (keras/helper_functions.py)",
    ranks=(2, 3),
    input_shape=(256, 256, 3),
    classes=1,
    references=(
        Reference((256, 256, 3), 1, params=9_042_177, trainable=9_042_177, gflops=59.576),
        Reference((256, 256, 3), 1, "supervised", 9_042_276, 9_042_276, gflops=59.588),
    ),
    recipe=Recipe(
        loss="bce+dice",
        optimiser="adam",
        learning_rate=3e-4,
        batch_size=64,
        epochs=100_000,
        normalisation="minmax_slice",
        early_stopping=30,
        size=(256, 256),
        monitor="val_loss",
        note="Adam of 3e-4 and early stopping are the paper's; patience, batch and the bound of "
        "epochs are those of its code for BRATS 2013. The normalisation is ours.",
        differs=(
            "Cross-entropy and Dice weigh the same; there, the cross-entropy half.",
            "Without L2 of 1e-4 on kernels, and without dropout of .5 behind convolutions.",
            "That code takes the largest batch from 64 down that fits the memory.",
        ),
    ),
    claims=(
        Published("cell nuclei", {"iou": 0.9263}, "U-Net .9077"),
        Published("colon polyp", {"iou": 0.3345}, "U-Net .3008"),
        Published("liver", {"iou": 0.7970}, "U-Net .7662; .8290 with supervision"),
        Published("lung nodule", {"iou": 0.7644}, "U-Net .7147; .7721 with supervision"),
    ),
    variants={
        "supervised": Variant("a head on every column, and their mean", {"supervised": True})
    },
    deviations=(
        "The paper prints 9.04 M parameters, its code 9,041,601 for one channel.",
        "`supervised` answers with the mean of its four masks, and its loss is that of the mean; "
        "in the source each head has a loss of its own. A head whose mask has come to 0 gets no "
        "gradient through the mean: at a quarter of the widths four slices weren't learned by "
        "heart, at rates of 2e-4 to 5e-3.",
        "Without the code's dropout of .5, which the paper doesn't mention.",
        "The authors' university has a patent pending on the architecture.",
    ),
    exempt={
        "learns by heart": {"supervised": "a head that answers 0 gets no gradient through the mean"}
    },
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (32, 64, 128, 256, 512),
    supervised: bool = False,
) -> keras.Model:
    """Build UNet++; `widths` are the levels', the same in every column."""
    image = x = entry(input_shape, multiple=2 ** (len(widths) - 1))
    rows: list[list[keras.KerasTensor]] = []
    for level, filters in enumerate(widths):
        x = pool(x, name=f"pool{level - 1}") if level else x
        x = double_conv(x, filters, name=f"down{level}", norm=False)
        rows.append([x])
    for column in range(1, len(widths)):
        for level in range(len(widths) - column):
            name = f"up{level}_{column}"
            up = up_transposed(rows[level + 1][-1], widths[level], name=f"{name}_transposed")
            joined = layers.Concatenate(name=f"{name}_join")([up, *rows[level]])
            rows[level].append(double_conv(joined, widths[level], name=name, norm=False))
    answer = _mean_of_heads(rows[0][1:], classes) if supervised else head(rows[0][-1], classes)
    return keras.Model(image, answer, name="unetpp")


def _mean_of_heads(columns: list[keras.KerasTensor], classes: int) -> keras.KerasTensor:
    names = [f"_{column}" for column in range(1, len(columns))] + [""]
    masks = []
    for x, name in zip(columns, names, strict=True):
        logits = convolution(x, classes, 1, name=f"logits{name}")
        masks.append(probabilities(logits, classes, name or "_last"))
    return layers.Average(dtype="float32", name="mask")(masks)
