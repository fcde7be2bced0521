"""SegResNet, after Project-MONAI/MONAI, networks/nets/segresnet.py, without the autoencoder."""

import math

from sources.forms import CONV, rank_of, scaled
from torch import nn

FORMS = (((32, 32, 3), 1, None), ((16, 16, 16, 4), 3, None), ((16, 16, 16, 4), 3, "wide"))
WIDTHS = {None: (16, 32, 64, 128), "wide": (32, 64, 128, 256)}
DOWN = (1, 2, 2, 4)
LINEAR = {2: "bilinear", 3: "trilinear"}


def group_norm(filters):
    return nn.GroupNorm(math.gcd(8, filters), filters)


class Block(nn.Module):
    def __init__(self, rank, filters):
        super().__init__()
        self.norm0, self.norm1 = group_norm(filters), group_norm(filters)
        self.conv0 = CONV[rank](filters, filters, 3, padding=1, bias=False)
        self.conv1 = CONV[rank](filters, filters, 3, padding=1, bias=False)

    def forward(self, x):
        return x + self.conv1(self.norm1(self.conv0(self.norm0(x).relu())).relu())


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths):
        super().__init__()
        self.depth = len(widths)
        self.stem = CONV[rank](channels, widths[0], 3, padding=1, bias=False)
        for level, filters in enumerate(widths):
            if level:
                strided = CONV[rank](filters // 2, filters, 3, 2, 1, bias=False)
                self.add_module(f"down{level}_strided", strided)
                project = CONV[rank](filters, filters // 2, 1, bias=False)
                self.add_module(f"up{level - 1}_project", project)
                self.add_module(f"up{level - 1}_0", Block(rank, filters // 2))
            blocks = nn.Sequential(*[Block(rank, filters) for _ in range(DOWN[level])])
            self.add_module(f"down{level}", blocks)
        self.linear = nn.Upsample(scale_factor=2, mode=LINEAR[rank], align_corners=False)
        self.last_norm = group_norm(widths[0])
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, x):
        x = self.stem(x)
        skips = []
        for level in range(self.depth):
            if level:
                x = self.get_submodule(f"down{level}_strided")(x)
            x = self.get_submodule(f"down{level}")(x)
            skips.append(x)
        for level in reversed(range(self.depth - 1)):
            x = self.linear(self.get_submodule(f"up{level}_project")(x)) + skips[level]
            x = self.get_submodule(f"up{level}_0")(x)
        return self.logits(self.last_norm(x).relu())


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    widths = scaled(WIDTHS[variant], width)
    return Network(rank_of(input_shape), input_shape[-1], classes, widths)
