"""UNet++, after MrGiovanni/UNetPlusPlus, keras/helper_functions.py, without its dropout."""

import torch
from sources.forms import CONV, MAX_POOL, TRANSPOSED, rank_of, scaled
from torch import nn

FORMS = (
    ((32, 32, 3), 1, None),
    ((32, 32, 3), 1, "supervised"),
    ((16, 16, 16, 2), 3, None),
    ((16, 16, 16, 2), 3, "supervised"),
)
WIDTHS = (32, 64, 128, 256, 512)


class Unit(nn.Module):
    def __init__(self, rank, before, filters):
        super().__init__()
        self.add_module("0_conv", CONV[rank](before, filters, 3, padding=1))
        self.add_module("1_conv", CONV[rank](filters, filters, 3, padding=1))

    def forward(self, x):
        x = self.get_submodule("0_conv")(x).relu()
        return self.get_submodule("1_conv")(x).relu()


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths, supervised):
        super().__init__()
        self.depth, self.supervised = len(widths), supervised
        self.pool = MAX_POOL[rank](2)
        for level, filters in enumerate(widths):
            before = widths[level - 1] if level else channels
            self.add_module(f"down{level}", Unit(rank, before, filters))
            for column in range(1, self.depth - level):
                up = TRANSPOSED[rank](widths[level + 1], filters, 2, 2)
                self.add_module(f"up{level}_{column}_transposed", up)
                unit = Unit(rank, (column + 1) * filters, filters)
                self.add_module(f"up{level}_{column}", unit)
        for column in range(1, self.depth - 1) if supervised else ():
            self.add_module(f"logits_{column}", CONV[rank](widths[0], classes, 1))
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, x):
        nodes = {}
        for level in range(self.depth):
            x = self.get_submodule(f"down{level}")(self.pool(x) if level else x)
            nodes[level, 0] = x
        for column in range(1, self.depth):
            for level in range(self.depth - column):
                up = self.get_submodule(f"up{level}_{column}_transposed")
                before = [nodes[level, earlier] for earlier in range(column)]
                joined = torch.cat([up(nodes[level + 1, column - 1]), *before], 1)
                nodes[level, column] = self.get_submodule(f"up{level}_{column}")(joined)
        last = self.logits(nodes[0, self.depth - 1])
        if not self.supervised:
            return last
        columns = range(1, self.depth - 1)
        logits = [self.get_submodule(f"logits_{column}")(nodes[0, column]) for column in columns]
        masks = [probabilities(each) for each in (*logits, last)]
        return torch.stack(masks).mean(0)


def probabilities(logits):
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    rank, widths = rank_of(input_shape), scaled(WIDTHS, width)
    return Network(rank, input_shape[-1], classes, widths, variant == "supervised")
