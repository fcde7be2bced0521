"""`quick` for volumes: patches of phantoms, three classes, under six minutes on two cores."""

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from benchmarks.protocols.shipped import quick
from data_pipeline import DataSpec

SLICES = "quick"

PROTOCOL = Protocol(
    name="quick3d",
    data=DataSpec(
        rank=3,
        size=(32, 48, 48),
        channels=quick.PROTOCOL.data.channels,
        target="labels",
        batch_size=2,
        drop_last=True,
        patches_per_volume=4,
        foreground_oversampling=0.5,
        split_seed=quick.PROTOCOL.data.split_seed,
        phantom=quick.PROTOCOL.data.phantom,
    ),
    train=Training(loss="categorical_crossentropy+dice", epochs=8, width=0.125, learning_rate=5e-3),
    evaluate=Evaluation(batch_size=2),
)
