"""AR2-UNet, after LeeJunHyun/Image_Segmentation, network.py (R2AttU_Net)."""

import torch
from sources.forms import CONV, MAX_POOL, ConvNormRelu, Gate, rank_of, scaled
from sources.leejunhyun_blocks import RecurrentResidual
from torch import nn

FORMS = (((32, 32, 3), 1, None), ((16, 16, 16, 2), 3, None))
WIDTHS = (64, 128, 256, 512, 1024)


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths):
        super().__init__()
        self.depth = len(widths) - 1
        for level in range(self.depth):
            before = widths[level - 1] if level else channels
            filters, below = widths[level : level + 2]
            self.add_module(f"down{level}", RecurrentResidual(rank, before, filters))
            self.add_module(f"up{level}_enter", ConvNormRelu(rank, below, filters))
            self.add_module(f"gate{level}", Gate(rank, filters, filters // 2))
            self.add_module(f"up{level}", RecurrentResidual(rank, 2 * filters, filters))
        self.bottleneck = RecurrentResidual(rank, widths[-2], widths[-1])
        self.pool = MAX_POOL[rank](2)
        self.twice = nn.Upsample(scale_factor=2)
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, x):
        skips = []
        for level in range(self.depth):
            x = self.get_submodule(f"down{level}")(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottleneck(x)
        for level in reversed(range(self.depth)):
            x = self.get_submodule(f"up{level}_enter")(self.twice(x))
            gated = self.get_submodule(f"gate{level}")(skips[level], x)
            x = self.get_submodule(f"up{level}")(torch.cat([gated, x], 1))
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    return Network(rank_of(input_shape), input_shape[-1], classes, scaled(WIDTHS, width))
