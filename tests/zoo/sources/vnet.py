"""V-Net, after Project-MONAI/MONAI, networks/nets/vnet.py, without its dropout."""

import torch
from sources.forms import BATCH_NORM, CONV, TRANSPOSED, rank_of, scaled
from torch import nn
from torch.nn.functional import elu

FORMS = (((16, 16, 16, 2), 1, None), ((16, 16, 16, 3), 3, None))
WIDTHS = (16, 32, 64, 128, 256)
DOWN, UP = (1, 1, 2, 3, 2), (1, 1, 2, 2)


class ConvNorm(nn.Module):
    def __init__(self, rank, before, filters):
        super().__init__()
        self.conv = CONV[rank](before, filters, 5, padding=2, bias=False)
        self.norm = BATCH_NORM[rank](filters)

    def forward(self, x):
        return self.norm(self.conv(x))


class Stage(nn.Module):
    def __init__(self, rank, filters, times):
        super().__init__()
        self.times = times
        for step in range(times):
            self.add_module(str(step), ConvNorm(rank, filters, filters))

    def forward(self, x):
        y = x
        for step in range(self.times):
            y = elu(self.get_submodule(str(step))(y))
        return elu(x + y)


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths):
        super().__init__()
        self.widths = widths
        self.down0_0 = ConvNorm(rank, channels, widths[0])
        for level, filters in list(enumerate(widths))[1:]:
            strided = CONV[rank](widths[level - 1], filters, 2, 2, bias=False)
            self.add_module(f"down{level}_strided", strided)
            self.add_module(f"down{level}_norm", BATCH_NORM[rank](filters))
            self.add_module(f"down{level}", Stage(rank, filters, DOWN[level]))
        below = widths[-1]
        for level in reversed(range(len(widths) - 1)):
            filters = widths[level]
            self.add_module(f"up{level}_transposed", TRANSPOSED[rank](below, filters, 2, 2))
            self.add_module(f"up{level}_norm", BATCH_NORM[rank](filters))
            self.add_module(f"up{level}", Stage(rank, 2 * filters, UP[level]))
            below = 2 * filters
        self.last = ConvNorm(rank, below, classes)
        self.logits = CONV[rank](classes, classes, 1)

    def forward(self, x):
        times = -(-self.widths[0] // x.shape[1])
        skips = [elu(self.down0_0(x) + x.repeat(1, times, 1, 1, 1)[:, : self.widths[0]])]
        for level in range(1, len(self.widths)):
            x = self.get_submodule(f"down{level}_strided")(skips[-1])
            x = elu(self.get_submodule(f"down{level}_norm")(x))
            skips.append(self.get_submodule(f"down{level}")(x))
        x = skips[-1]
        for level in reversed(range(len(self.widths) - 1)):
            x = self.get_submodule(f"up{level}_transposed")(x)
            x = elu(self.get_submodule(f"up{level}_norm")(x))
            x = self.get_submodule(f"up{level}")(torch.cat([x, skips[level]], 1))
        return self.logits(elu(self.last(x)))


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    return Network(rank_of(input_shape), input_shape[-1], classes, scaled(WIDTHS, width))
