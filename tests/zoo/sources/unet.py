"""U-Net, after figure 1 of its paper, padded; BatchNorm is not the paper's, `plain` has none."""

import torch
from sources.forms import CONV, MAX_POOL, TRANSPOSED, Pair, rank_of, scaled
from torch import nn

FORMS = (
    ((32, 32, 3), 1, None),
    ((32, 32, 3), 1, "plain"),
    ((16, 16, 16, 2), 3, None),
)
WIDTHS = (64, 128, 256, 512, 1024)


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths, norm):
        super().__init__()
        self.depth = len(widths) - 1
        for level in range(self.depth):
            before = widths[level - 1] if level else channels
            filters, below = widths[level : level + 2]
            self.add_module(f"down{level}", Pair(rank, before, filters, norm=norm))
            self.add_module(f"up{level}_transposed", TRANSPOSED[rank](below, filters, 2, 2))
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
            x = self.get_submodule(f"up{level}_transposed")(x)
            x = self.get_submodule(f"up{level}")(torch.cat([skips[level], x], 1))
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    rank, widths = rank_of(input_shape), scaled(WIDTHS, width)
    return Network(rank, input_shape[-1], classes, widths, variant != "plain")
