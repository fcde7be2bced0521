"""`lgg2d_lite` at half of the widths: `gliozoo finding width` asks whether the order holds."""

from dataclasses import replace

from benchmarks.protocols.shipped import lgg2d_lite

PROTOCOL = replace(
    lgg2d_lite.PROTOCOL,
    name="lgg2d_lite_half",
    train=replace(lgg2d_lite.PROTOCOL.train, width=0.5),
)
