"""BraTS for use, not for a table: as `lgg2d_small`, on four sequences and three classes."""

from dataclasses import replace

from benchmarks.protocols.protocol import Evaluation, Protocol
from benchmarks.protocols.shipped import brats2d, lgg2d_small

VOLUMES = "brats3d_small"

PROTOCOL = Protocol(
    name="brats2d_small",
    data=brats2d.PROTOCOL.data,
    train=replace(lgg2d_small.PROTOCOL.train, loss="categorical_crossentropy+dice"),
    evaluate=Evaluation(batch_size=32),
)
