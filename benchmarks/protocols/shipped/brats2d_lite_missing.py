"""`brats2d_lite` trained with sequences missing, so that a network does with those that are there.

A quarter of the channels is left out of each sample, each by chance, and one at least stays.
"""

from dataclasses import replace

from benchmarks.protocols.shipped import brats2d_lite
from data_pipeline.augmenting.augmentation import Augmentation

_BASE = brats2d_lite.PROTOCOL

PROTOCOL = replace(
    _BASE,
    name="brats2d_lite_missing",
    data=replace(
        _BASE.data,
        augmentation=replace(_BASE.data.augmentation or Augmentation(), channel_dropout=0.25),
    ),
)
