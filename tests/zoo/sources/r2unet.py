"""R2U-Net, after LeeJunHyun/Image_Segmentation, network.py (R2U_Net)."""

import torch
from sources.forms import CONV, MAX_POOL, ConvNormRelu, rank_of, scaled
from sources.leejunhyun_blocks import RecurrentResidual
from torch import nn

FORMS = (((32, 32, 3), 1, None), ((16, 16, 16, 2), 3, None))
WIDTHS = (64, 128, 256, 512, 1024)


class Network(nn.Module):
    def __init__(self, rank: int, channels: int, classes: int, widths: list[int]):
        super().__init__()
        self.depth = len(widths) - 1
        for level, filters in enumerate(widths[:-1]):
            before = widths[level - 1] if level else channels
            self.add_module(f"down{level}", RecurrentResidual(rank, before, filters))
            enter = ConvNormRelu(rank, widths[level + 1], filters)
            self.add_module(f"up{level}_enter", enter)
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
            x = self.get_submodule(f"up{level}")(torch.cat([skips[level], x], 1))
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    return Network(rank_of(input_shape), input_shape[-1], classes, scaled(WIDTHS, width))
