"""Mod-R2AU-Net: modified recurrent residual attention U-Net (Yadav, Kolekar, Zope 2025).

    image ─ R2CL 64 ──────────────── gate0 ─ R2CL 64 ─ mask
               └ R2CL 128 ────────── gate1 ─ R2CL 128 ┘
                   └ R2CL 256 ────── gate2 ─ R2CL 256 ┘
                       └ R2CL 512 ── gate3 ─ R2CL 512 ┘
                            └─── R2CL 512 ───┘

    R2CL:  x0 = relu(bn(conv(x)));  y = u(x0);  3 times y = u(x0 + y);  out = x0 + y
           where u is ONE convolution, BatchNorm and ReLU, called four times

Beside its parent R2AU-Net it keeps 512 channels in the bottleneck, has one recurrent unit a block
and gates at full width.
"""

from functools import partial

import keras
from keras import layers

from zoo.blocks.attention import additive_gate
from zoo.blocks.convolution import conv_relu
from zoo.blocks.ends import entry, head
from zoo.blocks.recurrent import recurrent, unrolled
from zoo.blocks.sampling import pool, up_transposed
from zoo.card import Card, Published, Recipe, Reference, Variant

CARD = Card(
    title="Mod-R2AU-Net",
    family="recurrent U-Nets",
    paper="Yadav, Kolekar, Zope: Modified Recurrent Residual Attention U-Net for MRI-based brain "
    "tumor segmentation. Biomedical Signal Processing and Control 102:107220 (2025)",
    source="acy010797/Mod-R2AU-Net",
    ranks=(2, 3),
    input_shape=(256, 256, 3),
    classes=1,
    references=(
        Reference((256, 256, 3), 1, params=21_271_317, trainable=21_257_741, gflops=214.865),
        Reference((256, 256, 3), 1, "own_statistics", 21_285_909, 21_257_741, gflops=214.865),
        Reference((256, 256, 3), 1, "own_norms", 21_300_501, 21_272_333, gflops=214.865),
        Reference((128, 128, 3), 1, "published_code", 4_037_737, 4_037_737, gflops=3.031),
    ),
    recipe=Recipe(
        loss="iou",
        loss_settings={"smooth": 100.0, "pool": "batch"},
        optimiser="adam",
        learning_rate=1e-4,
        batch_size=16,
        epochs=100,
        normalisation="gaussian_clahe",
        augmentation={
            "rotation": 0.2,
            "shift": 0.02,
            "shear": 0.1,
            "zoom": 0.1,
            "flip": 0.5,
            "as_keras": True,
        },
        size=(128, 128),
        monitor="val_loss",
        note="The loss is -IoU of all voxels of a batch, with smooth = 100; BCE in its first "
        "commit. A rotation_range of .2 and a shear_range of .1 are degrees in Keras.",
        differs=(
            "Images are kept in 8 bits while they are moved; there in float32.",
            "Validation is not augmented, and by patient; there it is, and by slice.",
            "Initial weights are He's, Glorot's there.",
        ),
    ),
    claims=(
        Published(
            "BraTS 2020",
            {"params_m": 21.3, "gflops": 212.0},
            "neither the input size nor the convention of the GFLOPs is disclosed; Dice and IoU "
            "appear as curves only",
            leaks=True,
        ),
    ),
    variants={
        "published_code": Variant(
            "the repository's code, made runnable: no BatchNorm, no shared weights",
            {"widths": (16, 32, 64, 128, 256), "published_code": True},
        ),
        "own_statistics": Variant(
            "moving statistics of its own for each step of a unit; what is trained stays the same",
            {"norm": "own_statistics"},
        ),
        "own_norms": Variant(
            "a BatchNorm of its own, gamma and beta too, for each step of a unit", {"norm": "own"}
        ),
    },
    deviations=(
        "Widths 64-128-256-512-512 and t = 3 are printed nowhere: they were chosen among what the "
        "README describes because they meet its two claims, 21.27 M parameters, and 214.9 GFLOPs "
        "at 256x256x3 counting a multiply-add as two (53.7 at 128). Its code has 16 to 256, t = 2.",
        "published_code projects the shortcut 1x1 where channels differ: the code itself adds 3 "
        "to 16 channels and can't run.",
    ),
    flaws=(
        "One BatchNorm is called four times on signals that differ and keeps one pair of moving "
        "statistics for them: what it learns with batch statistics is partly lost in inference. "
        "Kept; the variants own_statistics and own_norms mend it.",
        "The published code contradicts its README: no BatchNorm, no weights shared over time. "
        "Kept in published_code alone.",
        "Random split by slice: slices of one patient are on both sides.",
        "Augmentation is applied to validation and test images too.",
    ),
    exempt={
        "learns by heart in inference": {"": "moving statistics serve four calls that differ"},
    },
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (64, 128, 256, 512, 512),
    steps: int = 3,
    norm: str = "shared",
    published_code: bool = False,
) -> keras.Model:
    """Build Mod-R2AU-Net; `steps` is the README's t, `norm` one of `recurrent.NORMS`."""
    *encoder, bottleneck = widths
    image = x = entry(input_shape, multiple=2 ** len(encoder))
    if published_code:
        x = conv_relu(x, 3, name="stem", norm=False)
    block = unrolled if published_code else partial(_r2cl, steps=steps, norm=norm)
    gate = partial(additive_gate, norm=not published_code, projected=published_code)
    skips = []
    for level, filters in enumerate(encoder):
        x = block(x, filters, name=f"down{level}")
        skips.append(x)
        x = pool(x, name=f"pool{level}")
    x = block(x, bottleneck, name="bottleneck")
    for level, filters in reversed(list(enumerate(encoder))):
        x = up_transposed(x, filters, name=f"up{level}_transposed")
        gated = gate(skips[level], x, filters, name=f"gate{level}")
        x = layers.Concatenate(name=f"join{level}")([x, gated])
        x = block(x, filters, name=f"up{level}")
    return keras.Model(image, head(x, classes), name="mod_r2au")


def _r2cl(
    x: keras.KerasTensor, filters: int, *, steps: int, norm: str, name: str
) -> keras.KerasTensor:
    """Enter at the block's width, recur on one shared unit, add the entry back."""
    start = conv_relu(x, filters, name=f"{name}_enter")
    y = recurrent(start, filters, steps, name=f"{name}_unit", norm=norm)
    return layers.Add(name=name)([start, y])
