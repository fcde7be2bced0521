"""What MONAI's UNETR and Swin UNETR share: a residual block, a way up, an MLP."""

import itertools

import torch
from sources.forms import CONV, TRANSPOSED
from torch import nn
from torch.nn.functional import gelu, leaky_relu


def instance_norm(x: torch.Tensor) -> torch.Tensor:
    """torch.nn's refuses a single position, which small inputs come down to."""
    axes = tuple(range(2, x.ndim))
    centred = x - x.mean(axes, keepdim=True)
    return centred * (centred.square().mean(axes, keepdim=True) + 1e-5).rsqrt()


class ConvNorm(nn.Module):
    def __init__(self, rank, before, filters, kernel):
        super().__init__()
        self.conv = CONV[rank](before, filters, kernel, padding=kernel // 2, bias=False)

    def forward(self, x):
        return instance_norm(self.conv(x))


class Residual(nn.Module):
    def __init__(self, rank, before, filters):
        super().__init__()
        self.add_module("0", ConvNorm(rank, before, filters, 3))
        self.add_module("1", ConvNorm(rank, filters, filters, 3))
        self.skip = nn.Identity()
        if before != filters:
            self.skip = ConvNorm(rank, before, filters, 1)

    def forward(self, x):
        y = leaky_relu(self.get_submodule("0")(x), 0.01)
        return leaky_relu(self.get_submodule("1")(y) + self.skip(x), 0.01)


def doubling(rank, before, filters):
    return TRANSPOSED[rank](before, filters, 2, 2, bias=False)


class Decoder(nn.Module):
    """Levels from the coarsest to the finest; `widths` are the skips', then what comes in."""

    def build(self, rank, widths):
        self.levels = len(widths) - 1
        for level, (filters, before) in enumerate(itertools.pairwise(widths)):
            self.add_module(f"up{level}_transposed", doubling(rank, before, filters))
            self.add_module(f"up{level}", Residual(rank, 2 * filters, filters))

    def decode(self, x, skips):
        for level in reversed(range(self.levels)):
            x = self.get_submodule(f"up{level}_transposed")(x)
            x = self.get_submodule(f"up{level}")(torch.cat([x, skips[level]], 1))
        return x


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.narrow(gelu(self.widen(x)))


def attend(query, key, value, heads, bias=0.0):
    """Softmax attention of (..., places, width), a head at a time."""

    def split(x):
        return x.unflatten(-1, (heads, -1)).transpose(-2, -3)

    query, key, value = map(split, (query, key, value))
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5 + bias
    return (scores.softmax(-1) @ value).transpose(-2, -3).flatten(-2)
