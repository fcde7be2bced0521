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
from keras import layers, ops

from zoo.blocks.convolution import double_conv
from zoo.blocks.encoder import Encoder, features
from zoo.blocks.ends import entry, head
from zoo.blocks.sampling import up_nearest
from zoo.card import Card, Published, Recipe, Reference

CARD = Card(
    title="U-Net on ResNet50",
    paper="He et al.: Deep Residual Learning for Image Recognition. CVPR 2016, arXiv 1512.03385; "
    "decoder of segmentation_models (Yakubovskiy 2019)",
    source="soyelshyngys/Brain-Tumor-Segmentation-Research (BraTS 2020), on `segmentation_models`",
    ranks=(2,),
    input_shape=(128, 128, 3),
    classes=4,
    value_range="unit",
    references=(
        Reference((128, 128, 3), 4, params=32_603_204, trainable=32_548_100, gflops=5.179),
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
    deviations=(
        "The encoder is keras.applications' ResNet50 (23,587,712 parameters), whose ImageNet "
        "weights Keras users have; segmentation_models brings a pre-activation one without bias "
        "(23,546,057). The totals differ by 41,655: 32,603,204 here, 32,561,549 there.",
        "Caffe-style preprocessing (BGR, ImageNet mean, 0 to 255) is inside, so that every "
        "architecture takes the same input in [0, 1].",
        "`width` scales the decoder; the encoder keeps its ImageNet widths.",
    ),
    flaws=("The third input channel is zeros.",),
)

RESNET50 = Encoder(
    title="ResNet50",
    build=keras.applications.ResNet50,
    first="conv1_conv",
    file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    folder_url="https://storage.googleapis.com/tensorflow/keras-applications/resnet/",
    md5="4d473c1dd8becc155b73f8504c6f6626",
)
SKIPS = ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out")
# Of the ImageNet images in caffe's order: blue, green, red.
MEAN = (103.939, 116.779, 123.68)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (256, 128, 64, 32, 16),
    encoder_weights: str | Path | None = None,
) -> keras.Model:
    """Build the U-Net on ResNet50; `widths` are the decoder's, from the deepest stage up."""
    image = entry(input_shape, multiple=32)
    taps = (*SKIPS, "conv5_block3_out")
    *skips, x = features(_caffe(image), RESNET50, taps, encoder_weights)
    for stage, filters in enumerate(widths):
        x = up_nearest(x, name=f"up{stage}_nearest")
        if skips:
            x = layers.Concatenate(name=f"join{stage}")([x, skips.pop()])
        x = double_conv(x, filters, name=f"up{stage}", bias=False, initializer="he_uniform")
    return keras.Model(image, head(x, classes, kernel=3), name="resnet50_unet")


def _caffe(image: keras.KerasTensor) -> keras.KerasTensor:
    """Bring [0, 1] to what ResNet50's weights expect; other than 3 channels have no colour."""
    if image.shape[-1] != 3:
        return layers.Rescaling(255.0, -sum(MEAN) / 3, name="caffe")(image)
    return layers.Rescaling(255.0, [-value for value in MEAN], name="caffe")(ops.flip(image, -1))
