"""Attention U-Net, after LeeJunHyun/Image_Segmentation, network.py (AttU_Net); variant seed:
as the BraTS project soyelshyngys/Brain-Tumor-Segmentation-Research has it."""

import torch
from sources.forms import CONV, MAX_POOL, ConvNormRelu, Gate, Pair, rank_of, scaled
from torch import nn
from torch.nn.functional import interpolate

FORMS = (
    ((32, 32, 3), 1, None),
    ((32, 32, 3), 4, "seed"),
    ((16, 16, 16, 2), 3, None),
)
WIDTHS = (64, 128, 256, 512, 1024)


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths, seed):
        super().__init__()
        self.depth, self.mode = len(widths) - 1, "nearest"
        norm, kernel = True, 3
        if seed:
            norm, kernel, self.mode = False, 2, {2: "bilinear", 3: "trilinear"}[rank]
        for level in range(self.depth):
            before = widths[level - 1] if level else channels
            filters, below = widths[level : level + 2]
            self.add_module(f"down{level}", Pair(rank, before, filters, norm=norm))
            enter = ConvNormRelu(rank, below, filters, kernel, norm)
            self.add_module(f"up{level}_enter", enter)
            gate = Gate(rank, filters, filters if seed else filters // 2, norm)
            self.add_module(f"gate{level}", gate)
            self.add_module(f"up{level}", Pair(rank, 2 * filters, filters, norm=norm))
        self.bottleneck = Pair(rank, widths[-2], widths[-1], norm=norm)
        self.pool = MAX_POOL[rank](2)
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, x):
        skips = []
        for level in range(self.depth):
            x = self.get_submodule(f"down{level}")(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottleneck(x)
        for level in reversed(range(self.depth)):
            x = interpolate(x, scale_factor=2, mode=self.mode)
            x = self.get_submodule(f"up{level}_enter")(x)
            gated = self.get_submodule(f"gate{level}")(skips[level], x)
            x = self.get_submodule(f"up{level}")(torch.cat([gated, x], 1))
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    rank, widths = rank_of(input_shape), scaled(WIDTHS, width)
    return Network(rank, input_shape[-1], classes, widths, variant == "seed")
