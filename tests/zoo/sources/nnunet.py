"""nnU-Net, after MIC-DKFZ/dynamic-network-architectures: both encoders."""

import torch
from sources.forms import AVERAGE_POOL, CONV, INSTANCE_NORM, TRANSPOSED, rank_of
from torch import nn
from torch.nn.functional import leaky_relu

FORMS = (
    ((64, 64, 3), 1, None),
    ((32, 32, 3), 1, "plain"),
    ((32, 32, 32, 4), 4, None),
    ((16, 16, 16, 4), 4, "plain"),
)
BLOCKS = (1, 3, 4, 6, 6, 6, 6)
STAGES = {128: 6, 64: 5, 32: 4, 16: 3}  # halved while four voxels are left


class ConvNorm(nn.Module):
    def __init__(self, rank, before, filters, kernel=3, stride=1, bias=True, rectify=True):
        super().__init__()
        self.conv = CONV[rank](before, filters, kernel, stride, kernel // 2, bias=bias)
        self.norm = INSTANCE_NORM[rank](filters, eps=1e-5, affine=True)
        self.rectify = rectify

    def forward(self, x):
        x = self.norm(self.conv(x))
        return leaky_relu(x, 0.01) if self.rectify else x


class BasicBlock(nn.Module):
    def __init__(self, rank, before, filters, stride):
        super().__init__()
        self.add_module("0", ConvNorm(rank, before, filters, stride=stride))
        self.add_module("1", ConvNorm(rank, filters, filters, rectify=False))
        self.average = AVERAGE_POOL[rank](stride, stride) if stride > 1 else nn.Identity()
        self.skip = nn.Identity()
        if before != filters:
            self.skip = ConvNorm(rank, before, filters, 1, bias=False, rectify=False)

    def forward(self, x):
        y = self.get_submodule("1")(self.get_submodule("0")(x))
        return leaky_relu(y + self.skip(self.average(x)), 0.01)


def residual_stage(rank, before, filters, level):
    blocks = [BasicBlock(rank, before, filters, 2 if level else 1)]
    blocks += [BasicBlock(rank, filters, filters, 1) for _ in range(BLOCKS[level] - 1)]
    return nn.Sequential(*blocks)


def plain_stage(rank, before, filters, level):
    first = ConvNorm(rank, before, filters, stride=2 if level else 1)
    return nn.Sequential(first, ConvNorm(rank, filters, filters))


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths, residual):
        super().__init__()
        self.depth = len(widths)
        self.stem = ConvNorm(rank, channels, widths[0]) if residual else nn.Identity()
        before = widths[0] if residual else channels
        for level, filters in enumerate(widths):
            stage = (residual_stage if residual else plain_stage)(rank, before, filters, level)
            self.add_module(f"down{level}", stage)
            before = filters
        for level, filters in enumerate(widths[:-1]):
            up = TRANSPOSED[rank](widths[level + 1], filters, 2, 2)
            self.add_module(f"up{level}_transposed", up)
            convs = [ConvNorm(rank, 2 * filters, filters)]
            if not residual:
                convs.append(ConvNorm(rank, filters, filters))
            self.add_module(f"up{level}", nn.Sequential(*convs))
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, x):
        x = self.stem(x)
        skips = []
        for level in range(self.depth):
            x = self.get_submodule(f"down{level}")(x)
            skips.append(x)
        for level in reversed(range(self.depth - 1)):
            x = self.get_submodule(f"up{level}_transposed")(x)
            x = self.get_submodule(f"up{level}")(torch.cat([x, skips[level]], 1))
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    rank = rank_of(input_shape)
    most = {2: 512, 3: 320}[rank]
    widths = [
        min(round(32 * width) * 2**stage, round(most * width))
        for stage in range(STAGES[input_shape[0]])
    ]
    return Network(rank, input_shape[-1], classes, widths, residual=variant != "plain")
