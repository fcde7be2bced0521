"""SA-UNet: spatial attention U-Net (Guo et al. 2021), in its brain-MRI form.

    image ─ 16 ──────────────────────── 16 ─ mask
             └ 32 ───────────────────── 32 ┘      block: twice conv, DropBlock, BatchNorm, ReLU
                └ 64 ────────────────── 64 ┘
                    └ 128 ──────────── 128 ┘      `original`: three levels, and a convolution on
                       └ attention ────┘          either side of the attention

A small U-Net regularised by DropBlock; the weight of a position in the bottleneck comes from a
7x7 convolution of its channel mean and maximum.
"""

import keras
from keras import layers

from zoo.blocks.attention import spatial_attention
from zoo.blocks.convolution import batch_norm, convolution, relu
from zoo.blocks.dropblock import DropBlock
from zoo.blocks.ends import entry, head
from zoo.blocks.sampling import pool, up_transposed
from zoo.card import Card, Published, Recipe, Reference, Variant

CARD = Card(
    title="SA-UNet",
    family="attention gates",
    paper="Guo et al.: SA-UNet: Spatial Attention U-Net for Retinal Vessel Segmentation. "
    "ICPR 2020, arXiv 2004.03696",
    source="rushikesh4291/Brain-MRI-Segmentation, from suniash/brain_mri_segmentation; variant "
    "original: clguo/SA-UNet",
    ranks=(2, 3),
    input_shape=(256, 256, 3),
    classes=1,
    references=(
        Reference((256, 256, 3), 1, params=1_129_940, trainable=1_128_020, gflops=5.872),
        Reference((256, 256, 3), 1, "original", params=538_707, trainable=537_299, gflops=4.891),
    ),
    recipe=Recipe(
        loss="dice",
        loss_settings={"smooth": 100.0, "pool": "batch"},
        optimiser="adam",
        learning_rate=1e-4,
        batch_size=32,
        epochs=50,
        normalisation="div255",
        augmentation={
            "rotation": 0.25,
            "shift": 0.05,
            "shear": 0.05,
            "zoom": 0.05,
            "flip": 0.5,
            "as_keras": True,
        },
        size=(256, 256),
        monitor="val_loss",
        note="The loss is -Dice of all voxels of a batch, with smooth = 100. A rotation_range of "
        ".25 and a shear_range of .05 are degrees in Keras: next to nothing.",
        differs=(
            "Images are kept in 8 bits while they are moved; there in float32.",
            "Validation has patients of its own, by patient; there the test slices, in batches.",
            "Initial weights are He's, Glorot's there; BatchNorm's momentum is .9, .99 there.",
        ),
    ),
    claims=(
        Published(
            "LGG",
            {"accuracy": 0.9949, "iou": 0.82, "dice": 0.9047, "dice_loss": -0.9029},
            "its own plots end near Dice .64 on the evaluation set",
            leaks=True,
        ),
    ),
    variants={
        "original": Variant(
            "clguo's for the retina: three levels, attention between two convolutions",
            {
                "widths": (16, 32, 64, 128),
                "middle": True,
                "attention_bias": False,
                "mean_first": True,
            },
        )
    },
    deviations=(
        "DropBlock (size 7, keep .9), as the README of the brain-MRI project says; its code has "
        "plain Dropout .2.",
        "Four decoder blocks, as its code has them; its README says three.",
        "Volumes are ours, DropBlock with cubes: short trainings may end before anything is drawn.",
    ),
    flaws=(
        "Split by slice, 85/10/5: slices of one patient are on both sides.",
        "The test generator doubles as validation data, so test data pick the checkpoint.",
        "Its Dice flattens a batch: of 32 slices the large tumours decide, a missed small one or a "
        "false one in an empty slice hardly counts, and no patient is scored by himself.",
    ),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (16, 32, 64, 128),
    keep: float = 0.9,
    block: int = 7,
    middle: bool = False,
    attention_bias: bool = True,
    mean_first: bool = False,
) -> keras.Model:
    """Build SA-UNet; with `middle` the last width is a bottleneck around the attention."""
    encoder = widths[:-1] if middle else widths
    image = x = entry(input_shape, multiple=2 ** len(encoder))
    skips = []
    for level, filters in enumerate(encoder):
        x = _block(x, filters, 2, keep, block, name=f"down{level}")
        skips.append(x)
        x = pool(x, name=f"pool{level}")
    if middle:
        x = _block(x, widths[-1], 1, keep, block, name="middle0")
    x = spatial_attention(x, name="attention", bias=attention_bias, mean_first=mean_first)
    if middle:
        x = _block(x, widths[-1], 1, keep, block, name="middle1")
    for level, filters in reversed(list(enumerate(encoder))):
        x = up_transposed(x, filters, kernel=3, name=f"up{level}_transposed")
        x = layers.Concatenate(name=f"join{level}")([x, skips[level]])
        x = _block(x, filters, 2, keep, block, name=f"up{level}")
    return keras.Model(image, head(x, classes), name="sa_unet")


def _block(
    x: keras.KerasTensor, filters: int, times: int, keep: float, block: int, *, name: str
) -> keras.KerasTensor:
    for step in range(times):
        x = convolution(x, filters, name=f"{name}_{step}_conv")
        x = DropBlock(keep, block, name=f"{name}_{step}_drop")(x)
        x = relu(batch_norm(x, name=f"{name}_{step}_norm"), name=f"{name}_{step}_relu")
    return x
