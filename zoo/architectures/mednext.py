"""MedNeXt (Roy et al. 2023): ConvNeXt's block all the way, down and up included.

    volume ─ 1x1, 32 ─ blocks ──────────────────────── (+) blocks ─ mask
                         └ 64 ───────────────────── (+) 64 ┘
                             └ 128 ────────────── (+) 128 ┘
                                 └ 256 ──────── (+) 256 ┘
                                     └ 512 ────┘

    block:  out = x + 1x1(gelu(1x1(GN(depthwise k(x)))));  the first 1x1 widens by the expansion
    down:   the depthwise convolution has stride 2, and so has the 1x1 that stands for x
    up:     both are transposed, on 2n - 1 places a side; zeros at the near end make it 2n

GroupNorm has as many groups as channels, which is InstanceNorm. Small, base, medium and large have
more and more blocks and expansion, and each has kernels of 3 or of 5.
"""

import keras
from keras import layers

from zoo.blocks.convolution import convolution, gelu, rank_of
from zoo.blocks.depthwise import depthwise
from zoo.blocks.ends import entry, head
from zoo.blocks.normalisation import instance_norm
from zoo.blocks.sampling import up_spread
from zoo.card import Card, Recipe, Reference, Variant

CARD = Card(
    title="MedNeXt",
    family="large kernels",
    paper="Roy et al.: MedNeXt: Transformer-driven Scaling of ConvNets for Medical Image "
    "Segmentation. MICCAI 2023, arXiv 2303.09975",
    source="MIC-DKFZ/MedNeXt (mednextv1)",
    ranks=(2, 3),
    input_shape=(128, 128, 128, 4),
    classes=4,
    references=(
        Reference((128, 128, 128, 4), 4, None, 5_551_076, 5_551_076, gflops=255.166),
        Reference((128, 128, 128, 4), 4, "base", 10_526_468, 10_526_468, gflops=334.005),
        Reference((128, 128, 128, 4), 4, "medium", 17_549_124, 17_549_124, gflops=487.772),
        Reference((128, 128, 128, 4), 4, "large", 61_779_428, 61_779_428, gflops=989.754),
        Reference((128, 128, 128, 4), 4, "small5", 5_980_708, 5_980_708, gflops=331.697),
        Reference((128, 128, 128, 4), 4, "base5", 10_956_100, 10_956_100, gflops=410.536),
        Reference((128, 128, 128, 4), 4, "medium5", 18_260_996, 18_260_996, gflops=607.976),
        Reference((128, 128, 128, 4), 4, "large5", 62_993_060, 62_993_060, gflops=1118.384),
    ),
    recipe=Recipe(
        loss="bce+dice",
        optimiser="adamw",
        learning_rate=1e-3,
        batch_size=2,
        epochs=1000,
        normalisation="zscore_brain",
        augmentation={"rotation": 30, "zoom": 0.3, "flip": 0.5},
        size=(128, 128, 128),
        note="nnU-Net's trainer with AdamW of 1e-3; patches of 128 a side.",
        differs=(
            "The rate stays where it is: theirs decays to nothing, (1 - epoch / 1000) ** .9.",
            "Without deep supervision, a field of a protocol that a recipe doesn't set.",
            "An epoch has every image once; theirs is 250 batches, a third of them on foreground.",
            "Forms of kernel 5 start from random weights, unless `bench --from` names a run of "
            "kernel 3, whose kernels it then resamples as theirs does (UpKern).",
            "Of nnU-Net's augmentation, only turns, zooms and flips.",
        ),
    ),
    variants={
        "base": Variant("expansions to 4", {"size": "B"}),
        "medium": Variant("the same expansions, 3 or 4 blocks", {"size": "M"}),
        "large": Variant("expansions to 8, up to 8 blocks", {"size": "L"}),
        "small5": Variant("kernel 5", {"kernel": 5}),
        "base5": Variant("base with kernel 5", {"size": "B", "kernel": 5}),
        "medium5": Variant("medium with kernel 5", {"size": "M", "kernel": 5}),
        "large5": Variant("large with kernel 5", {"size": "L", "kernel": 5}),
    },
    deviations=(
        "One parameter less than the source, whose dummy keeps PyTorch's checkpointing at work.",
        "The paper prints 5.6, 10.5, 17.6 and 61.8 M parameters and 130, 170, 248 and 500 GFLOPs "
        "at kernel 3, which are multiply-adds.",
        "A depthwise convolution of volumes is written as one of slices for each tap in depth, "
        "with the same weights and the same sums.",
        "Norms pass no gradient of an empty slice; in PyTorch each makes it 316 times as large.",
    ),
)


# The blocks of the nine stages, down and up again, and by how much each widens.
SIZES = {
    "S": ((2, 2, 2, 2, 2, 2, 2, 2, 2), (2, 2, 2, 2, 2, 2, 2, 2, 2)),
    "B": ((2, 2, 2, 2, 2, 2, 2, 2, 2), (2, 3, 4, 4, 4, 4, 4, 3, 2)),
    "M": ((3, 4, 4, 4, 4, 4, 4, 4, 3), (2, 3, 4, 4, 4, 4, 4, 3, 2)),
    "L": ((3, 4, 8, 8, 8, 8, 8, 4, 3), (3, 4, 8, 8, 8, 8, 8, 4, 3)),
}


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (32, 64, 128, 256, 512),
    size: str = "S",
    kernel: int = 3,
) -> keras.Model:
    """Build MedNeXt of one of the paper's four sizes."""
    if size not in SIZES:
        raise ValueError(f"Expected size to be one of {', '.join(SIZES)}. Received: {size!r}")
    blocks, expansions = SIZES[size]
    *encoder, bottleneck = range(len(widths))
    image = x = entry(input_shape, multiple=2**bottleneck)
    x = convolution(x, widths[0], 1, name="stem")
    skips = []
    for level in range(len(widths)):
        if level:
            name = f"enter{level}"
            y = depthwise(x, kernel, strides=2, name=f"{name}_depthwise")
            y = _mix(y, widths[level], expansions[level], name=name)
            x = convolution(x, widths[level], 1, strides=2, name=f"{name}_shortcut")
            x = layers.Add(name=f"{name}_add")([x, y])
        x = _stage(x, blocks[level], expansions[level], kernel, name=f"down{level}")
        skips.append(x)
    for level in reversed(encoder):
        name, stage = f"up{level}_enter", len(blocks) - 1 - level
        y = depthwise(x, kernel, spread=True, name=f"{name}_depthwise")
        y = _mix(y, widths[level], expansions[stage], name=name)
        x = layers.Add(name=f"{name}_add")([up_spread(x, widths[level], f"{name}_shortcut"), y])
        x = _pad(x, name=f"{name}_pad")
        x = layers.Add(name=f"join{level}")([skips[level], x])
        x = _stage(x, blocks[stage], expansions[stage], kernel, name=f"up{level}")
    return keras.Model(image, head(x, classes), name="mednext")


def _stage(
    x: keras.KerasTensor, blocks: int, expansion: int, kernel: int, *, name: str
) -> keras.KerasTensor:
    for number in range(blocks):
        y = depthwise(x, kernel, name=f"{name}_{number}_depthwise")
        y = _mix(y, x.shape[-1], expansion, name=f"{name}_{number}")
        x = layers.Add(name=f"{name}_{number}_add")([x, y])
    return x


def _mix(x: keras.KerasTensor, filters: int, expansion: int, *, name: str) -> keras.KerasTensor:
    """Normalise, widen, and narrow to `filters`."""
    wide = expansion * x.shape[-1]
    x = instance_norm(x, name=f"{name}_norm")
    x = gelu(convolution(x, wide, 1, name=f"{name}_expand"), name=f"{name}_gelu")
    return convolution(x, filters, 1, name=f"{name}_compress")


def _pad(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    layer = {2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}[rank_of(x)]
    return layer(((1, 0),) * rank_of(x), name=name)(x)
