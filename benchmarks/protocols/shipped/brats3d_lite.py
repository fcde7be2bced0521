"""BraTS volumes on two cores: patches of 64x64x64, an eighth of the widths, three regions."""

from dataclasses import replace

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from benchmarks.protocols.shipped import brats3d

SLICES = "brats2d_lite"

PROTOCOL = Protocol(
    name="brats3d_lite",
    data=replace(
        brats3d.PROTOCOL.data,
        size=(64, 64, 64),
        batch_size=2,
        patches_per_volume=8,
        foreground_oversampling=0.5,
    ),
    train=Training(
        loss="categorical_crossentropy+dice", epochs=20, width=0.125, learning_rate=3e-3
    ),
    evaluate=Evaluation(batch_size=2, overlap=0.25),
)
