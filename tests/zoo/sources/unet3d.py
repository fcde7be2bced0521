"""3D U-Net, after figure 2 of its paper."""

import torch
from sources.forms import CONV, MAX_POOL, TRANSPOSED, ConvNormRelu, Pair, rank_of, scaled
from torch import nn

FORMS = (((16, 16, 16, 4), 4, None),)
HALVES = (32, 64, 128, 256)  # the first convolution of each level; the second has twice as many


class Network(nn.Module):
    def __init__(self, rank, channels, classes, halves):
        super().__init__()
        self.depth = len(halves) - 1

        def level_of(before, half):
            return nn.Sequential(
                ConvNormRelu(rank, before, half), ConvNormRelu(rank, half, 2 * half)
            )

        for level, half in enumerate(halves[:-1]):
            before = 2 * halves[level - 1] if level else channels
            self.add_module(f"down{level}", level_of(before, half))
            below = 2 * halves[level + 1]
            up = TRANSPOSED[rank](below, below, 2, 2, bias=False)
            self.add_module(f"up{level}_transposed", up)
            self.add_module(f"up{level}", Pair(rank, below + 2 * half, 2 * half))
        self.bottleneck = level_of(2 * halves[-2], halves[-1])
        self.pool = MAX_POOL[rank](2)
        self.logits = CONV[rank](2 * halves[0], classes, 1)

    def forward(self, x):
        skips = []
        for level in range(self.depth):
            x = self.get_submodule(f"down{level}")(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottleneck(x)
        for level in reversed(range(self.depth)):
            x = self.get_submodule(f"up{level}_transposed")(x)
            x = self.get_submodule(f"up{level}")(torch.cat([skips[level], x], 1))
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    return Network(rank_of(input_shape), input_shape[-1], classes, scaled(HALVES, width))
