"""BraTS volumes for use, not for a table: `brats3d_lite` at twice the epochs, tidied up after."""

from dataclasses import replace

from benchmarks.protocols.protocol import Protocol
from benchmarks.protocols.shipped import brats3d, brats3d_lite

SLICES = "brats2d_small"

AUGMENTATION = replace(
    brats3d.AUGMENTATION,
    gamma=0.3,
    contrast=0.25,
    contrast_probability=0.3,
    noise=0.05,
    noise_probability=0.15,
)

PROTOCOL = Protocol(
    name="brats3d_small",
    data=replace(brats3d_lite.PROTOCOL.data, augmentation=AUGMENTATION),
    train=replace(brats3d_lite.PROTOCOL.train, epochs=40),
    evaluate=replace(brats3d_lite.PROTOCOL.evaluate, overlap=0.5, smallest=None),
)
