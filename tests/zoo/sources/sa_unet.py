"""SA-UNet, after rushikesh4291/Brain-MRI-Segmentation; variant original: after clguo/SA-UNet. Both
without DropBlock, which is off on our side, too."""

import torch
from sources.forms import CONV, MAX_POOL, TRANSPOSED, ConvNormRelu, Pair, rank_of, scaled
from torch import nn

FORMS = (
    ((32, 32, 3), 1, None),
    ((32, 32, 3), 1, "original"),
    ((16, 16, 16, 2), 3, None),
    ((16, 16, 16, 2), 3, "original"),
)
SETTINGS = {"keep": 1.0}
WIDTHS = (16, 32, 64, 128)


class Transposed(nn.Module):
    """3x3 and stride 2 as Keras pads it, in which both sources are: the last places go."""

    def __init__(self, rank, before, filters):
        super().__init__()
        self.itself = TRANSPOSED[rank](before, filters, 3, stride=2)

    def forward(self, x):
        sides = x.ndim - 2
        return self.itself(x)[(..., *(slice(-1),) * sides)]


class Attention(nn.Module):
    """A weight for each place from its channels' mean and largest; the order is the source's."""

    def __init__(self, rank, mean_first, bias):
        super().__init__()
        self.mean_first = mean_first
        self.conv = CONV[rank](2, 1, 7, padding=3, bias=bias)

    def forward(self, x):
        mean, largest = x.mean(1, keepdim=True), x.amax(1, keepdim=True)
        pair = (mean, largest) if self.mean_first else (largest, mean)
        return x * self.conv(torch.cat(pair, 1)).sigmoid()


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths, original):
        super().__init__()
        self.depth = len(widths) - int(original)
        self.attention = Attention(rank, mean_first=original, bias=not original)
        below = widths[-1]
        self.middle0 = self.middle1 = nn.Identity()
        if original:
            self.middle0 = nn.Sequential(ConvNormRelu(rank, widths[-2], below))
            self.middle1 = nn.Sequential(ConvNormRelu(rank, below, below))
        for level in reversed(range(self.depth)):
            before, filters = widths[level - 1] if level else channels, widths[level]
            self.add_module(f"down{level}", Pair(rank, before, filters))
            self.add_module(f"up{level}_transposed", Transposed(rank, below, filters))
            self.add_module(f"up{level}", Pair(rank, 2 * filters, filters))
            below = filters
        self.pool = MAX_POOL[rank](2)
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, x):
        skips = []
        for level in range(self.depth):
            x = self.get_submodule(f"down{level}")(x)
            skips.append(x)
            x = self.pool(x)
        x = self.middle1(self.attention(self.middle0(x)))
        for level in reversed(range(self.depth)):
            x = self.get_submodule(f"up{level}_transposed")(x)
            x = self.get_submodule(f"up{level}")(torch.cat([x, skips[level]], 1))
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    rank, widths = rank_of(input_shape), scaled(WIDTHS, width)
    return Network(rank, input_shape[-1], classes, widths, variant == "original")
