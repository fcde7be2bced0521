"""U-Net with a ResNet50 encoder (as segmentation_models builds its Unet).

    image ─ caffe preprocessing
      └ conv1 64 ─────────────── 64 ┐      16 ─ mask     decoder block: nearest x2, concat,
          └ conv2 256 ───────── 128 ┘      │             twice [3x3 conv without bias,
              └ conv3 512 ───── 256 ┘  32 ─┘             BatchNorm, ReLU]; the last stage
                  └ conv4 1024 ─────┘                    has no skip
                      └ conv5 2048 ┘

The parent's encoder is replaced by a classifier's, whose ImageNet weights can be used.
"""

from pathlib import Path

import keras
from keras import layers

from zoo.blocks.convolution import double_conv
from zoo.blocks.encoder import features
from zoo.blocks.ends import entry, head
from zoo.blocks.sampling import up_nearest
from zoo.card import Card, Published, Recipe, Reference, Variant

CARD = Card(
    title="U-Net on ResNet50",
    family="ImageNet encoders",
    paper="He et al.: Deep Residual Learning for Image Recognition. CVPR 2016, arXiv 1512.03385; "
    "decoder of segmentation_models (Yakubovskiy 2019)",
    source="soyelshyngys/Brain-Tumor-Segmentation-Research (BraTS 2020), on `segmentation_models`",
    ranks=(2,),
    input_shape=(128, 128, 3),
    classes=4,
    value_range="unit",
    references=(
        Reference((128, 128, 3), 4, params=32_603_204, trainable=32_548_100, gflops=5.179),
        Reference((128, 128, 3), 4, "mobilenetv2", 8_047_876, 8_011_780, gflops=2.253),
    ),
    recipe=Recipe(
        loss="weighted_dice",
        loss_settings={"class_weights": [0.1, 0.3, 0.3, 0.3], "smooth": 1e-5},
        optimiser="adam",
        learning_rate=1e-3,
        batch_size=100,
        epochs=35,
        normalisation="minmax_slice",
        schedule={"factor": 0.2, "patience": 2, "floor": 1e-6},
        early_stopping=5,
        size=(128, 128),
        monitor="val_loss",
        note="A batch is one patient's 100 slices; FLAIR, T1ce and zeros are the channels. "
        "segmentation_models' Dice is a mean over slices, as here.",
        differs=(
            "The encoder starts from random weights, ImageNet's there (`encoder_weights`).",
            "A batch has 100 slices of any patients; there, slices 22 to 121 of one.",
            "Their loss L divides by the classes and not by the weights: here it is 4 L - 3.",
            "Any gain makes an epoch a better one; for the rate, there, a gain of 1e-4.",
            "Slices are stretched to [0, 1] before they are resized; there, behind it.",
        ),
    ),
    claims=(
        Published(
            "BraTS 2020",
            {
                "train_accuracy": 0.995,
                "val_accuracy": 0.993,
                "train_mean_iou": 0.74,
                "val_mean_iou": 0.64,
                "train_loss": 0.813,
                "val_loss": 0.838,
            },
            "validation values; no test set",
        ),
    ),
    variants={
        "mobilenetv2": Variant("a MobileNetV2 as encoder", {"encoder": "mobilenetv2"}),
    },
    deviations=(
        "The encoder is keras.applications' ResNet50 (23,587,712 parameters), whose ImageNet "
        "weights Keras users have; segmentation_models brings a pre-activation one without bias "
        "(23,546,057). The totals differ by 41,655: 32,603,204 here, 32,561,549 there.",
        "Caffe-style preprocessing (BGR, ImageNet mean, 0 to 255) is inside, so that every "
        "architecture takes the same input in [0, 1].",
        "`encoder` names one of keras.applications that halves its image five times, each "
        "with the preprocessing that its weights expect; ours, as segmentation_models has them.",
        "`width` scales the decoder; the encoder keeps its ImageNet widths.",
    ),
    flaws=("The third input channel is zeros. Not kept: channels are those of the data.",),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (256, 128, 64, 32, 16),
    encoder: str = "resnet50",
    encoder_weights: str | Path | None = None,
) -> keras.Model:
    """Build the U-Net; `widths` are the decoder's, from the deepest stage up.

    `encoder` is a network of keras.applications that halves its image five times.
    """
    image = entry(input_shape, multiple=32)
    *skips, x = features(image, encoder, (2, 4, 8, 16, 32), encoder_weights)
    for stage, filters in enumerate(widths):
        x = up_nearest(x, name=f"up{stage}_nearest")
        if skips:
            x = layers.Concatenate(name=f"join{stage}")([x, skips.pop()])
        x = double_conv(x, filters, name=f"up{stage}", bias=False, initializer="he_uniform")
    return keras.Model(image, head(x, classes, kernel=3), name="resnet50_unet")
