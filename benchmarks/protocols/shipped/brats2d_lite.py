"""BraTS slices on two cores: every slice architecture within half an hour, three regions scored."""

from dataclasses import replace

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from benchmarks.protocols.shipped import brats2d

VOLUMES = "brats3d_lite"

PROTOCOL = Protocol(
    name="brats2d_lite",
    data=replace(brats2d.PROTOCOL.data, size=(96, 96), batch_size=8),
    train=Training(loss="categorical_crossentropy+dice", epochs=8, width=0.25, learning_rate=3e-3),
    evaluate=Evaluation(batch_size=32),
)
