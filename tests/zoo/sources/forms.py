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
    """The exact one, with a root of 1/2 rounded to float32: so TensorFlow has it in float64 too."""
    return x / 2 * (1 + torch.erf(x * float(np.float32(np.sqrt(0.5)))))


class ConvNormRelu(nn.Module):
    """3x3 convolution, BatchNorm where there is one, ReLU."""

    def __init__(self, rank: int, before: int, filters: int, kernel=3, norm=True, bias=True):
        super().__init__()
        self.conv = CONV[rank](before, filters, kernel, padding="same", bias=bias)
        self.norm = BATCH_NORM[rank](filters) if norm else nn.Identity()

    def forward(self, x):
        return self.norm(self.conv(x)).relu()


class Pair(nn.Sequential):
    """The U-Net's two convolutions."""

    def __init__(self, rank: int, before: int, filters: int, **settings):
        first = ConvNormRelu(rank, before, filters, **settings)
        super().__init__(first, ConvNormRelu(rank, filters, filters, **settings))


class Gate(nn.Module):
    """Attention U-Net's: the skip times what it and the decoder's signal make of it, 1x1."""

    def __init__(self, rank: int, filters: int, inter: int, norm=True):
        super().__init__()
        for name, before, after in (
            ("skip", filters, inter),
            ("signal", filters, inter),
            ("psi", inter, 1),
        ):
            self.add_module(f"{name}_conv", CONV[rank](before, after, 1))
            self.add_module(f"{name}_norm", BATCH_NORM[rank](after) if norm else nn.Identity())

    def weight(self, skip, signal):
        """Return the weight, from projections that were not normalised yet."""
        both = self.skip_norm(skip) + self.signal_norm(signal)
        return self.psi_norm(self.psi_conv(both.relu())).sigmoid()

    def forward(self, skip, signal):
        return skip * self.weight(self.skip_conv(skip), self.signal_conv(signal))
