"""DeepLabV3+ with an EfficientNetB0 encoder (Chen et al. 2018, Tan and Le 2019).

    image ─ EfficientNetB0 ─┬─ block3a (1/4) ──────── 1x1 -> 48 ───────────┐
                            └─ block6a (1/16) ─ ASPP ─ 1x1 ─ bilinear x4 ─ concat
                                                                           │
                                         mask ─ 1x1 ─ bilinear x4 ─ twice 3x3 256

    ASPP: image pooling, 1x1, and 3x3 at rates 6, 12, 18, each convolution, BatchNorm, ReLU

No U-Net: one skip, and context from dilated convolutions instead of many levels.
"""

from pathlib import Path

import keras
from keras import layers, ops

from zoo.blocks.convolution import conv_relu, double_conv
from zoo.blocks.encoder import features
from zoo.blocks.ends import entry, head
from zoo.blocks.sampling import up_linear
from zoo.card import Card, Published, Recipe, Reference, Variant

CARD = Card(
    title="DeepLabV3+ on EfficientNetB0",
    family="ImageNet encoders",
    paper="Chen et al.: Encoder-Decoder with Atrous Separable Convolution for Semantic Image "
    "Segmentation. ECCV 2018, arXiv 1802.02611",
    source="soyelshyngys/Brain-Tumor-Segmentation-Research (BraTS 2020)",
    ranks=(2,),
    input_shape=(256, 256, 3),
    classes=4,
    value_range="unit",
    references=(
        Reference((256, 256, 3), 4, params=7_569_099, trainable=7_547_396, gflops=14.069),
        Reference((256, 256, 3), 4, "resnet50", 17_830_980, 17_796_196, gflops=22.891),
    ),
    recipe=Recipe(
        loss="weighted_dice",
        loss_settings={"class_weights": [0.1, 0.3, 0.3, 0.3], "smooth": 1e-6, "pool": "batch"},
        optimiser="adam",
        learning_rate=1e-3,
        batch_size=20,
        epochs=35,
        normalisation="minmax_slice",
        schedule={"factor": 0.2, "patience": 2, "floor": 1e-6},
        early_stopping=5,
        size=(256, 256),
        monitor="val_loss",
        note="A batch is 4 patients x 5 slices, and its Dice is one of all their voxels.",
        differs=(
            "The encoder starts from random weights, ImageNet's there (`encoder_weights`).",
            "An epoch has every slice once; there, 5 of each patient's slices 22 to 121, drawn "
            "with replacement, in batches of 4 patients; validation likewise.",
            "The loss is four times theirs, who divide by the classes and not by the weights.",
            "Any gain makes an epoch a better one; for the rate, there, a gain of 1e-4.",
            "FLAIR, T1ce and zeros are their channels; slices are stretched to [0, 1] before they "
            "are resized, there behind it.",
        ),
    ),
    claims=(
        Published(
            "BraTS 2020",
            {
                "dice_background": 0.9981,
                "dice_ncr": 0.6919,
                "dice_ed": 0.7651,
                "dice_et": 0.7590,
                "dice_mean": 0.8035,
                "val_loss": 0.0654,
                "accuracy": 0.9945,
                "mean_iou": 0.6907,
            },
            "the mean Dice counts the background; the foreground mean is .739",
        ),
    ),
    variants={"resnet50": Variant("a ResNet50 as encoder", {"encoder": "resnet50"})},
    deviations=(
        "Inputs in [0, 1] are scaled by 255 first, because Keras' EfficientNet rescales by 1/255 "
        "inside.",
        "`encoder` names one of keras.applications with features of 1/4 and 1/16, each with "
        "the preprocessing that its weights expect; none dilates its last stage.",
        "`width` scales ASPP and decoder; the encoder keeps its ImageNet widths.",
    ),
    flaws=(
        "The source feeds [0, 1] to an encoder that divides by 255 again: contrast shrinks 255 "
        "times. Not kept.",
        "Its mean Dice of .8035 counts the background (.9981).",
    ),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (256, 48, 256),
    rates: tuple[int, ...] = (6, 12, 18),
    encoder: str = "efficientnetb0",
    encoder_weights: str | Path | None = None,
) -> keras.Model:
    """Build DeepLabV3+; `widths` are those of ASPP, of the low-level features, of the decoder.

    `encoder` is a network of keras.applications with features of 1/4 and 1/16.
    """
    context_width, low_width, decoder_width = widths
    image = entry(input_shape, multiple=16)
    low, high = features(image, encoder, (4, 16), encoder_weights)
    x = up_linear(_aspp(high, context_width, rates), 4, name="context_up")
    low = conv_relu(low, low_width, 1, name="low", bias=False)
    x = layers.Concatenate(name="join")([x, low])
    x = double_conv(x, decoder_width, name="decoder", bias=False)
    x = up_linear(x, 4, name="decoder_up")
    return keras.Model(image, head(x, classes), name="deeplabv3plus")


def _aspp(x: keras.KerasTensor, filters: int, rates: tuple[int, ...]) -> keras.KerasTensor:
    """Look at the features at several scales at once (atrous spatial pyramid pooling)."""
    branches = [conv_relu(x, filters, 1, name="aspp_1x1", bias=False)]
    for rate in rates:
        branches.append(conv_relu(x, filters, name=f"aspp_rate{rate}", dilation=rate, bias=False))
    pooled = layers.GlobalAveragePooling2D(keepdims=True, name="aspp_pool")(x)
    pooled = conv_relu(pooled, filters, 1, name="aspp_image", bias=False)
    branches.append(pooled * ops.ones_like(branches[0]))
    x = layers.Concatenate(name="aspp")(branches)
    return conv_relu(x, filters, 1, name="aspp_project", bias=False)
