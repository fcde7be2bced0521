"""`lgg2d` at the data's own 256x256."""

from dataclasses import replace

from benchmarks.protocols.protocol import Evaluation, Protocol
from benchmarks.protocols.shipped import lgg2d

PROTOCOL = Protocol(
    name="lgg2d_256",
    data=replace(lgg2d.PROTOCOL.data, size=(256, 256), batch_size=8),
    train=lgg2d.PROTOCOL.train,
    evaluate=Evaluation(batch_size=8),
)
