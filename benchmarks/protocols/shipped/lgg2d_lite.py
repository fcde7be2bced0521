"""LGG on two cores: every slice architecture within half an hour; what small and short can show."""

from dataclasses import replace

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from benchmarks.protocols.shipped import lgg2d

PROTOCOL = Protocol(
    name="lgg2d_lite",
    data=replace(lgg2d.PROTOCOL.data, size=(96, 96), batch_size=8, slices="balanced"),
    train=Training(epochs=8, width=0.25, learning_rate=3e-3),
    evaluate=Evaluation(batch_size=32),
)
