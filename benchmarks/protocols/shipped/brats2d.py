"""BraTS slices of 128x128, four modalities, three classes; regions WT, TC and ET; for a GPU."""

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from benchmarks.protocols.shipped.lgg2d import AUGMENTATION
from data_pipeline import DataSpec

VOLUMES = "brats3d"

PROTOCOL = Protocol(
    name="brats2d",
    data=DataSpec(
        layout="brats",
        size=(128, 128),
        channels=("t1", "t1ce", "t2", "flair"),
        target="labels",
        augmentation=AUGMENTATION,
        batch_size=16,
        drop_last=True,
        slices="balanced",
    ),
    train=Training(loss="categorical_crossentropy+dice", epochs=40, early_stopping=10),
    evaluate=Evaluation(),
)
