"""LGG for use, not for a table: quarter widths, trained on two cores until they stop improving."""

from dataclasses import replace

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from benchmarks.protocols.shipped import lgg2d

PROTOCOL = Protocol(
    name="lgg2d_small",
    data=replace(lgg2d.PROTOCOL.data, slices="balanced"),
    train=Training(
        width=0.25,
        learning_rate=2e-3,
        schedule="plateau",
        schedule_settings={"factor": 0.4, "patience": 4},
        epochs=80,
        early_stopping=10,
    ),
    evaluate=Evaluation(batch_size=32),
)
