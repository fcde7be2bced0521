"""BraTS volumes in patches of 128x128x128: four modalities, regions WT, TC and ET; for a GPU."""

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from benchmarks.protocols.shipped import brats2d
from data_pipeline import DataSpec
from data_pipeline.augmenting.augmentation import Augmentation

SLICES = "brats2d"

AUGMENTATION = Augmentation(rotation=15.0, zoom=0.1, flip=0.5, gamma=0.2, gamma_probability=0.3)

PROTOCOL = Protocol(
    name="brats3d",
    data=DataSpec(
        layout="brats",
        rank=3,
        size=(128, 128, 128),
        channels=brats2d.PROTOCOL.data.channels,
        target="labels",
        augmentation=AUGMENTATION,
        batch_size=2,
        drop_last=True,
        patches_per_volume=2,
    ),
    train=Training(loss="categorical_crossentropy+dice", epochs=100, early_stopping=20),
    evaluate=Evaluation(batch_size=1),
)
