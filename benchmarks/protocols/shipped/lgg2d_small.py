"""LGG for use, not for a table: quarter widths, on two cores, until the rate has come to nothing.

Nothing is stopped early: eight validation patients scatter so much that ten epochs without a better
one ended `sa_unet` in its fourteenth, at a Dice of .55, with its loss still falling.
"""

from dataclasses import replace

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from benchmarks.protocols.shipped import lgg2d

PROTOCOL = Protocol(
    name="lgg2d_small",
    data=replace(lgg2d.PROTOCOL.data, slices="balanced"),
    train=Training(width=0.25, learning_rate=3e-3, epochs=30),
    evaluate=Evaluation(batch_size=32),
)
