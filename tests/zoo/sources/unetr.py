"""UNETR, after Project-MONAI/MONAI, networks/nets/unetr.py and vit.py."""

import math

import torch
from sources.forms import CONV, rank_of, scaled
from sources.monai_blocks import Decoder, Mlp, Residual, attend, doubling
from torch import nn

FORMS = (((64, 32, 3), 1, None), ((32, 32, 16, 4), 3, None))
WIDTHS = (16, 32, 64, 128, 768)
HEADS = 12


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm0, self.norm1 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.project = nn.Linear(width, width)
        self.mlp = Mlp(width)

    def forward(self, x):
        x = x + self.project(attend(*self.qkv(self.norm0(x)).chunk(3, -1), HEADS))
        return x + self.mlp(self.norm1(x))


class Positions(nn.Module):
    def __init__(self, places, width):
        super().__init__()
        self.vectors = nn.Parameter(torch.zeros(1, places, width))

    def forward(self, x):
        return x + self.vectors


class Network(Decoder):
    def __init__(self, input_shape, classes, widths):
        super().__init__()
        rank, *sides = rank_of(input_shape), *(side // 16 for side in input_shape[:-1])
        *decoder, width = widths
        self.embed = CONV[rank](input_shape[-1], width, 16, 16)
        self.positions = Positions(math.prod(sides), width)
        for number in range(12):
            self.add_module(f"block{number + 1}", Block(width))
        self.norm = nn.LayerNorm(width)
        self.skip0 = Residual(rank, input_shape[-1], decoder[0])
        for level, filters in enumerate(decoder[1:], start=1):
            self.add_module(f"skip{level}_up", doubling(rank, width, filters))
            for step in range(3 - level):
                self.add_module(f"skip{level}_up{step}", doubling(rank, filters, filters))
                self.add_module(f"skip{level}_{step}", Residual(rank, filters, filters))
        self.build(rank, widths)
        self.logits = CONV[rank](decoder[0], classes, 1)

    def forward(self, image):
        grid = self.embed(image)
        x = self.positions(grid.flatten(2).transpose(1, 2))
        hidden = []
        for number in range(12):
            x = self.get_submodule(f"block{number + 1}")(x)
            hidden.append(x)

        def image_of(rows):
            return rows.transpose(1, 2).unflatten(2, grid.shape[2:])

        skips = [self.skip0(image)]
        for level in (1, 2, 3):
            y = self.get_submodule(f"skip{level}_up")(image_of(hidden[3 * level]))
            for step in range(3 - level):
                y = self.get_submodule(f"skip{level}_up{step}")(y)
                y = self.get_submodule(f"skip{level}_{step}")(y)
            skips.append(y)
        return self.logits(self.decode(image_of(self.norm(x)), skips))


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    return Network(input_shape, classes, scaled(WIDTHS, width))
