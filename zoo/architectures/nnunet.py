"""nnU-Net with its residual encoder (Isensee et al. 2021 and 2024), planned for its input.

    image ─ stem ─ 32, 1 block ───────────────────── 32 ─ mask
                     └ 64, 3 blocks ──────────── 64 ┘
                         └ 128, 4 blocks ─── 128 ┘
                             └ 256, 6 ─── 256 ┘         halved while four voxels a side are left,
                                 └ 320, 6 ...           so the depth follows from the input

    block:  out = lrelu(x' + norm(conv(lrelu(norm(conv(x))))));  x' is x, averaged over the stride
            and projected where the width changes

A U-Net without BatchNorm: InstanceNorm, leaky ReLU, strided convolutions down. `plain` is the
encoder of 2021, two convolutions a stage in both halves.
"""

import keras
from keras import layers

from zoo.blocks.convolution import convolution
from zoo.blocks.ends import entry, head
from zoo.blocks.normalisation import instance_norm
from zoo.blocks.sampling import average, down_strided, up_transposed
from zoo.card import Card, Recipe, Reference, Variant

CARD = Card(
    title="nnU-Net",
    family="residual U-Nets",
    paper="Isensee et al.: nnU-Net: a self-configuring method for deep learning-based biomedical "
    "image segmentation. Nature Methods 18 (2021); nnU-Net Revisited. MICCAI 2024, arXiv "
    "2404.09556",
    source="MIC-DKFZ/dynamic-network-architectures (ResidualEncoderUNet, PlainConvUNet)",
    ranks=(2, 3),
    input_shape=(128, 128, 128, 4),
    classes=4,
    references=(
        Reference((128, 128, 128, 4), 4, None, 102_350_884, 102_350_884, gflops=1445.946),
        Reference((256, 256, 3), 1, None, 105_914_401, 105_914_401, gflops=64.743),
        Reference((128, 128, 128, 4), 4, "plain", 31_196_708, 31_196_708, gflops=965.603),
        Reference((256, 256, 3), 1, "plain", 33_469_409, 33_469_409, gflops=29.595),
    ),
    recipe=Recipe(
        loss="bce+dice",
        optimiser="sgd",
        learning_rate=1e-2,
        batch_size=2,
        epochs=1000,
        normalisation="zscore_brain",
        augmentation={"rotation": 180, "zoom": 0.3, "flip": 0.5},
        size=(128, 128, 128),
        note="The trainer of nnU-Net v2; rotation by any angle, zoom from .7 to 1.4.",
        differs=(
            "The rate stays where it is: theirs decays to nothing, (1 - epoch / 1000) ** .9.",
            "Without weight decay of 3e-5, and with momentum but not Nesterov's.",
            "Without deep supervision, a field of a protocol that a recipe doesn't set.",
            "An epoch has every image once; theirs is 250 batches, a third of them on foreground.",
            "Of the augmentation, noise, blur, contrast, gamma and low resolution are left out.",
            "Cross-entropy of one channel becomes binary; batches of 2 are the plan's for volumes.",
        ),
    ),
    variants={"plain": Variant("two convolutions a stage, as in 2021", {"residual": False})},
    deviations=(
        "The plan follows from the input alone: every side is halved together while the shortest "
        "keeps four voxels. Theirs follows from a data set's spacing, median size and GPU memory; "
        "for 128x128x128 and 256x256 both give the same. `stages` fixes the number.",
        "Without the 1x1 heads that the source builds at every decoder stage and leaves idle in "
        "inference: 3,088 parameters at four classes in 3D, 1,477 at one in 2D. Deep supervision "
        "adds them while it trains.",
        "Norms pass no gradient of an empty slice; in PyTorch each makes it 316 times as large.",
    ),
)

BLOCKS = (1, 3, 4, 6)  # of the first stages; 6 in all further ones
SMALLEST = 4  # voxels a side at the bottom


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (32, 320, 512),
    residual: bool = True,
    stages: int | None = None,
) -> keras.Model:
    """Build nnU-Net; `widths` are the first stage's, and the most of a volume and of a slice."""
    widths = plan(input_shape, widths, stages)
    image = x = entry(input_shape, multiple=2 ** (len(widths) - 1))
    if residual:
        x = _conv(x, widths[0], name="stem")
    skips = []
    for level, filters in enumerate(widths):
        x = (_residual_stage if residual else _plain_stage)(x, filters, level)
        skips.append(x)
    for level, skip in reversed(list(enumerate(skips[:-1]))):
        x = up_transposed(x, widths[level], name=f"up{level}_transposed")
        x = layers.Concatenate(name=f"join{level}")([x, skip])
        for step in range(1 if residual else 2):
            x = _conv(x, widths[level], name=f"up{level}_{step}")
    return keras.Model(image, head(x, classes), name="nnunet")


def plan(
    input_shape: tuple[int | None, ...], widths: tuple[int, ...], stages: int | None = None
) -> tuple[int, ...]:
    """Return the stages' widths: doubled to the most of the rank, as deep as the sides allow."""
    first, *most = widths
    sides = [side for side in input_shape[:-1] if side is not None]
    if stages is None:
        stages = max(1, (min(sides or [256]) // SMALLEST).bit_length())
    return tuple(min(first * 2**stage, most[4 - len(input_shape)]) for stage in range(stages))


def _conv(
    x: keras.KerasTensor, filters: int, *, name: str, stride: int = 1, rectify: bool = True
) -> keras.KerasTensor:
    """Convolve, normalise, and rectify unless told not to."""
    convolve = convolution if stride == 1 else down_strided
    x = instance_norm(convolve(x, filters, name=f"{name}_conv"), name=f"{name}_norm")
    return _lrelu(x, name=f"{name}_lrelu") if rectify else x


def _lrelu(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    return layers.LeakyReLU(0.01, name=name)(x)


def _plain_stage(x: keras.KerasTensor, filters: int, level: int) -> keras.KerasTensor:
    x = _conv(x, filters, name=f"down{level}_0", stride=2 if level else 1)
    return _conv(x, filters, name=f"down{level}_1")


def _residual_stage(x: keras.KerasTensor, filters: int, level: int) -> keras.KerasTensor:
    blocks = BLOCKS[level] if level < len(BLOCKS) else BLOCKS[-1]
    for number in range(blocks):
        name, stride = f"down{level}_{number}", 2 if level and not number else 1
        y = _conv(x, filters, name=f"{name}_0", stride=stride)
        y = _conv(y, filters, name=f"{name}_1", rectify=False)
        if stride == 2:
            x = average(x, name=f"{name}_average")
        if x.shape[-1] != filters:
            x = convolution(x, filters, 1, bias=False, name=f"{name}_skip_conv")
            x = instance_norm(x, name=f"{name}_skip_norm")
        x = _lrelu(layers.Add(name=f"{name}_add")([x, y]), name=f"{name}_lrelu")
    return x
