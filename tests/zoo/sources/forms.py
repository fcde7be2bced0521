"""What several torch forms are made of."""

import numpy as np
import torch
from torch import nn

CONV = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
BATCH_NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
INSTANCE_NORM = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
MAX_POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOL = {2: nn.AvgPool2d, 3: nn.AvgPool3d}


def rank_of(input_shape: tuple) -> int:
    return len(input_shape) - 1


def scaled(widths: tuple, width: float) -> list[int]:
    return [max(1, round(channels * width)) for channels in widths]


def gelu(x):
    """The exact one, with a root of 2 rounded to float32: so TensorFlow has it in float64 too."""
    return x / 2 * (1 + torch.erf(x / float(np.float32(np.sqrt(2)))))


class ConvNormRelu(nn.Module):
    """3x3 convolution, BatchNorm, ReLU."""

    def __init__(self, rank: int, before: int, filters: int):
        super().__init__()
        self.conv = CONV[rank](before, filters, 3, padding=1)
        self.norm = BATCH_NORM[rank](filters)

    def forward(self, x):
        return self.norm(self.conv(x)).relu()
