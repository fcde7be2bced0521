"""`brats3d` on Task01_BrainTumour of the Medical Segmentation Decathlon."""

from dataclasses import replace

from benchmarks.protocols.shipped import brats3d

PROTOCOL = replace(
    brats3d.PROTOCOL, name="msd3d", data=replace(brats3d.PROTOCOL.data, layout="msd")
)
