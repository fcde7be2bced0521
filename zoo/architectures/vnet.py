"""V-Net (Milletari, Navab, Ahmadi 2016).

    volume ─ 16, 1 conv ─────────────────────────── 16+16, 1 conv ─ mask
               └ 32, 1 ──────────────────────── 32+32, 1 ┘
                   └ 64, 2 ───────────────── 64+64, 2 ┘        down and up: 2x2x2 of stride 2
                       └ 128, 3 ───────── 128+128, 2 ┘
                           └ 256, 2 ────┘

    stage:  out = elu(x + convolutions of 5x5x5(x)), each with BatchNorm and ELU

Residual where the U-Net is plain, and strided where it pools.
"""

import keras
from keras import layers

from zoo.blocks.convolution import batch_norm, convolution, elu
from zoo.blocks.ends import entry, probabilities
from zoo.blocks.sampling import down_halved, up_transposed
from zoo.card import Card, Published, Recipe, Reference

CARD = Card(
    title="V-Net",
    family="residual U-Nets",
    paper="Milletari, Navab, Ahmadi: V-Net: Fully Convolutional Neural Networks for Volumetric "
    "Medical Image Segmentation. 3DV 2016, arXiv 1606.04797",
    source="Project-MONAI/MONAI (VNet)",
    ranks=(3,),
    input_shape=(128, 128, 128, 4),
    classes=3,
    references=(
        Reference((128, 128, 128, 4), 3, params=45_613_224, trainable=45_607_906, gflops=1505.021),
    ),
    recipe=Recipe(
        loss="dice",
        optimiser="sgd",
        learning_rate=1e-4,
        batch_size=2,
        epochs=1000,
        normalisation="zscore_brain",
        size=(128, 128, 64),
        note="The paper's: SGD with momentum .99, batches of 2. It counts 30,000 steps, which are "
        "1,200 epochs of its 50 volumes; 1,000 epochs and the normalisation are ours.",
        differs=(
            "The rate stays where it is; theirs falls to a tenth after 25,000 steps.",
            "Without deformation by B-splines and matching of histograms.",
        ),
    ),
    claims=(
        Published("PROMISE 2012 (prostate)", {"dice": 0.869, "hd": 5.71}, "thirty test volumes"),
    ),
    deviations=(
        "BatchNorm behind each convolution, and ELU for PReLU, as MONAI has it; the paper has "
        "neither.",
        "What the first stage adds is the image repeated until it has the stage's channels; where "
        "they are no multiple, the last repetition is cut. MONAI refuses such images.",
        "Without MONAI's dropout of .5 from the third level down, which the paper doesn't have.",
        "BatchNorm's epsilon is 1e-3, the moving variance that of the batch (Keras); the source "
        "has PyTorch's, 1e-5 and n / (n - 1) of that variance.",
        "Volumes only: the paper's point is 5x5x5 kernels in place of slices.",
    ),
)

DOWN, UP = (1, 1, 2, 3, 2), (1, 1, 2, 2)  # convolutions a level


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (16, 32, 64, 128, 256),
) -> keras.Model:
    """Build V-Net; `widths` are the encoder's, the last one the bottleneck's."""
    volume = entry(input_shape, multiple=2 ** (len(widths) - 1))
    x = _norm_conv(volume, widths[0], name="down0_0")
    x = elu(layers.Add(name="down0_add")([x, _repeated(volume, widths[0])]), name="down0_elu")
    skips = [x]
    for level, filters in enumerate(widths[1:], 1):
        x = down_halved(x, filters, name=f"down{level}_strided")
        x = elu(batch_norm(x, name=f"down{level}_norm"), name=f"down{level}_enter")
        x = _stage(x, filters, DOWN[level], name=f"down{level}")
        skips.append(x)
    for level, skip in reversed(list(enumerate(skips[:-1]))):
        x = up_transposed(x, widths[level], name=f"up{level}_transposed")
        x = elu(batch_norm(x, name=f"up{level}_norm"), name=f"up{level}_enter")
        x = layers.Concatenate(name=f"join{level}")([x, skip])
        x = _stage(x, x.shape[-1], UP[level], name=f"up{level}")
    x = elu(_norm_conv(x, classes, name="last"), name="last_elu")
    logits = convolution(x, classes, 1, name="logits")
    return keras.Model(volume, probabilities(logits, classes), name="vnet")


def _repeated(volume: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    times = -(-filters // volume.shape[-1])
    return layers.Concatenate(name="repeated")([volume] * times)[..., :filters]


def _stage(x: keras.KerasTensor, filters: int, times: int, *, name: str) -> keras.KerasTensor:
    y = x
    for step in range(times):
        y = elu(_norm_conv(y, filters, name=f"{name}_{step}"), name=f"{name}_{step}_elu")
    return elu(layers.Add(name=f"{name}_add")([x, y]), name=f"{name}_elu")


def _norm_conv(x: keras.KerasTensor, filters: int, *, name: str) -> keras.KerasTensor:
    x = convolution(x, filters, 5, bias=False, name=f"{name}_conv")
    return batch_norm(x, name=f"{name}_norm")
