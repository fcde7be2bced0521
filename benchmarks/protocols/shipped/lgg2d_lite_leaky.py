"""`lgg2d_lite` with slices of one patient on both sides of the split, to measure what that adds.

Never ranked with anything: `gliozoo finding leakage` sets it beside the split by patient.
"""

from dataclasses import replace

from benchmarks.protocols.shipped import lgg2d_lite

PROTOCOL = replace(
    lgg2d_lite.PROTOCOL,
    name="lgg2d_lite_leaky",
    data=replace(lgg2d_lite.PROTOCOL.data, leaky=True),
)
