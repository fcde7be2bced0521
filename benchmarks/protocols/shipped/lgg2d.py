"""LGG slices of 128x128 at full width: 60 epochs, early stopping; for a GPU."""

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from data_pipeline import DataSpec
from data_pipeline.augmenting.augmentation import Augmentation

AUGMENTATION = Augmentation(
    rotation=15.0, shift=0.05, zoom=0.1, flip=0.5, gamma=0.2, gamma_probability=0.3
)

PROTOCOL = Protocol(
    name="lgg2d",
    data=DataSpec(
        layout="lgg",
        size=(128, 128),
        channels=("t1", "flair", "t1ce"),
        augmentation=AUGMENTATION,
        batch_size=16,
        drop_last=True,
    ),
    train=Training(epochs=60, early_stopping=15),
    evaluate=Evaluation(),
)
