"""Attention-based residual U-Net, after the README of Aaryan-Nakhat/
Attention-Based-Residual-U-Net-for-Brain-MRI-Segmentation, all that is public; variants: its
separable convolutions, and the BatchNorm that copied code has behind the last convolution."""

import torch
from sources.forms import (
    BATCH_NORM,
    CONV,
    MAX_POOL,
    TRANSPOSED,
    ConvNormRelu,
    rank_of,
    scaled,
)
from torch import nn
from torch.nn.functional import conv2d

FORMS = (
    ((32, 32, 3), 1, None),
    ((32, 32, 3), 1, "separable"),
    ((32, 32, 3), 1, "head_norm"),
    ((16, 16, 16, 2), 3, None),
)
WIDTHS = (64, 128, 256, 512, 1024)


class Separable(nn.Module):
    """Each channel 3x3 on its own, then all of them 1x1."""

    def __init__(self, before, filters):
        super().__init__()
        self.depthwise_kernel = nn.Parameter(torch.zeros(before, 1, 3, 3))
        self.pointwise_kernel = nn.Parameter(torch.zeros(filters, before, 1, 1))
        self.bias = nn.Parameter(torch.zeros(filters))

    def forward(self, x):
        x = conv2d(x, self.depthwise_kernel, padding=1, groups=x.shape[1])
        return conv2d(x, self.pointwise_kernel, self.bias)


class Residual(nn.Module):
    def __init__(self, rank, before, filters, separable):
        super().__init__()

        def convolution(before):
            if separable:
                return Separable(before, filters)
            return CONV[rank](before, filters, 3, padding=1)

        self.conv0 = convolution(before)
        self.norm0 = BATCH_NORM[rank](filters)
        self.conv1 = convolution(filters)
        self.norm1 = BATCH_NORM[rank](filters)
        self.shortcut = CONV[rank](before, filters, 1)
        self.shortcut_norm = BATCH_NORM[rank](filters)

    def forward(self, x):
        y = self.norm0(self.conv0(x)).relu()
        y = self.norm1(self.conv1(y))
        return (y + self.shortcut_norm(self.shortcut(x))).relu()


class GridGate(nn.Module):
    """Weighs the skip on the grid of the level below, and mixes its channels."""

    def __init__(self, rank, filters):
        super().__init__()
        self.theta = CONV[rank](filters, filters, 2, stride=2)
        self.phi = CONV[rank](filters, filters, 1)
        self.phi_up = TRANSPOSED[rank](filters, filters, 3, stride=1, padding=1)
        self.psi = CONV[rank](filters, 1, 1)
        self.mix = CONV[rank](filters, filters, 1)
        self.itself = BATCH_NORM[rank](filters)
        self.twice = nn.Upsample(scale_factor=2)

    def forward(self, skip, signal):
        both = self.theta(skip) + self.phi_up(self.phi(signal))
        weight = self.psi(both.relu()).sigmoid()
        return self.itself(self.mix(skip * self.twice(weight)))


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths, separable, head_norm):
        super().__init__()
        self.depth = len(widths) - 1
        for level in range(self.depth):
            before = widths[level - 1] if level else channels
            filters, below = widths[level : level + 2]
            self.add_module(f"down{level}", Residual(rank, before, filters, separable))
            self.add_module(f"signal{level}", ConvNormRelu(rank, below, filters, 1))
            self.add_module(f"gate{level}", GridGate(rank, filters))
            self.add_module(f"up{level}", Residual(rank, below + filters, filters, separable))
        self.bottleneck = Residual(rank, widths[-2], widths[-1], separable)
        self.pool = MAX_POOL[rank](2)
        self.twice = nn.Upsample(scale_factor=2)
        self.logits = CONV[rank](widths[0], classes, 1)
        self.logits_norm = BATCH_NORM[rank](classes) if head_norm else nn.Identity()

    def forward(self, x):
        skips = []
        for level in range(self.depth):
            x = self.get_submodule(f"down{level}")(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottleneck(x)
        for level in reversed(range(self.depth)):
            signal = self.get_submodule(f"signal{level}")(x)
            gated = self.get_submodule(f"gate{level}")(skips[level], signal)
            x = torch.cat([self.twice(x), gated], 1)
            x = self.get_submodule(f"up{level}")(x)
        return self.logits_norm(self.logits(x))


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    rank, widths = rank_of(input_shape), scaled(WIDTHS, width)
    forms = (variant == "separable", variant == "head_norm")
    return Network(rank, input_shape[-1], classes, widths, *forms)
