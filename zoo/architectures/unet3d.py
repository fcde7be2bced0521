"""3D U-Net (Cicek et al. 2016).

    volume ─ 32-64 ──────────────────── 64-64 ─ mask
               └ 64-128 ─────────── 128-128 ┘        channels double BEFORE the pool, and the
                   └ 128-256 ───── 256-256 ┘         up-convolution keeps its channels, so that
                        └─ 256-512 ─┘                no pool is a bottleneck

Its parent is the U-Net, one level shallower.
"""

import keras
from keras import layers

from zoo.blocks.convolution import conv_relu, double_conv
from zoo.blocks.ends import entry, head
from zoo.blocks.sampling import pool, up_transposed
from zoo.card import Card, Published, Recipe, Reference

CARD = Card(
    title="3D U-Net",
    family="U-Nets",
    paper="Cicek et al.: 3D U-Net: Learning Dense Volumetric Segmentation from Sparse "
    "Annotation. MICCAI 2016, arXiv 1606.06650",
    source="the paper; BraTS 2020: soyelshyngys/Brain-Tumor-Segmentation-Research",
    ranks=(3,),
    input_shape=(128, 128, 128, 4),
    classes=4,
    references=(
        Reference((128, 128, 128, 4), 4, None, 19_080_228, 19_075_556, 19_070_884, 3919.158),
        Reference((128, 128, 128, 3), 3, None, 19_079_299, 19_074_627, 19_069_955, 3915.265),
    ),
    recipe=Recipe(
        loss="categorical_crossentropy",
        optimiser="adam",
        learning_rate=1e-4,
        batch_size=1,
        epochs=35,
        normalisation="minmax_slice",
        schedule={"factor": 0.2, "patience": 2, "floor": 1e-6},
        early_stopping=5,
        size=(128, 128, 128),
        monitor="val_loss",
        note="Early stopping and rate reduction without their numbers, and neither batch nor "
        "normalisation in our source: 5, .2 and 2 are those of the slice networks in the same "
        "repository, 1 and min-max are ours.",
        differs=("Its README names augmentation and doesn't say which: none here.",),
    ),
    claims=(
        Published(
            "BraTS 2020",
            {
                "loss": 0.061,
                "accuracy": 0.9936,
                "dice": 0.50,
                "mean_iou": 0.2438,
                "precision": 0.997,
                "sensitivity": 0.989,
                "specificity": 0.9988,
                "dice_ed": 0.7559,
                "dice_ncr": 0.5942,
                "dice_et": 0.7255,
            },
            "about 80/20 split; precision and sensitivity count the background",
        ),
    ),
    deviations=(
        "Four modalities and four classes by default; the paper has three of each.",
        "Without the paper's weighted loss for sparse annotation: BraTS is annotated densely.",
    ),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (64, 128, 256, 512),
) -> keras.Model:
    """Build the 3D U-Net; `widths` are those behind the doubling, the last the bottleneck's."""
    *encoder, bottleneck = widths
    volume = x = entry(input_shape, multiple=2 ** len(encoder))
    skips = []
    for level, filters in enumerate(encoder):
        x = _doubling(x, filters, name=f"down{level}")
        skips.append(x)
        x = pool(x, name=f"pool{level}")
    x = _doubling(x, bottleneck, name="bottleneck")
    for level, filters in reversed(list(enumerate(encoder))):
        x = up_transposed(x, x.shape[-1], bias=False, name=f"up{level}_transposed")
        x = layers.Concatenate(name=f"join{level}")([skips[level], x])
        x = double_conv(x, filters, name=f"up{level}")
    return keras.Model(volume, head(x, classes), name="unet3d")


def _doubling(x: keras.KerasTensor, filters: int, *, name: str) -> keras.KerasTensor:
    x = conv_relu(x, max(1, filters // 2), name=f"{name}_0")
    return conv_relu(x, filters, name=f"{name}_1")
