"""CMUNeXt, after FengheTan9/CMUNeXt, network/CMUNeXt.py."""

import torch
from sources.forms import BATCH_NORM, CONV, MAX_POOL, ConvNormRelu, gelu, rank_of, scaled
from torch import nn

FORMS = (
    ((32, 32, 3), 1, None),
    ((64, 64, 3), 1, "small"),
    ((32, 32, 3), 1, "large"),
    ((16, 16, 16, 2), 3, None),
)
SIZES = {
    None: ((16, 32, 128, 160, 256), (1, 1, 1, 3, 1), (3, 3, 7, 7, 7)),
    "small": ((8, 16, 32, 64, 128), (1, 1, 1, 1, 1), (3, 3, 7, 7, 9)),
    "large": ((32, 64, 128, 256, 512), (1, 1, 1, 6, 3), (3, 3, 7, 7, 7)),
}
LINEAR = {2: "bilinear", 3: "trilinear"}


class Finished(nn.Module):
    """Convolution, GELU, BatchNorm under the names NAME and NAME_norm of its parent."""

    def __init__(self, parent, name, rank, before, filters, kernel, groups=1):
        super().__init__()
        conv = CONV[rank](before, filters, kernel, padding=kernel // 2, groups=groups)
        parent.add_module(name, conv)
        parent.add_module(f"{name}_norm", BATCH_NORM[rank](filters))
        self.parts = lambda: (conv, parent.get_submodule(f"{name}_norm"))

    def forward(self, x):
        conv, norm = self.parts()
        return norm(gelu(conv(x)))


class OutAndBack(nn.Module):
    def __init__(self, rank, before, wide, filters):
        super().__init__()
        self.steps = [
            Finished(self, "out", rank, before, wide, 1),
            Finished(self, "back", rank, wide, filters, 1),
        ]

    def forward(self, x):
        for step in self.steps:
            x = step.forward(x)
        return x


class Block(OutAndBack):
    def __init__(self, rank, filters, kernel):
        super().__init__(rank, filters, 4 * filters, filters)
        self.deep = [Finished(self, "depthwise", rank, filters, filters, kernel, filters)]

    def forward(self, x):
        return super().forward(x + self.deep[0].forward(x))


class Fusion(OutAndBack):
    def __init__(self, rank, filters):
        super().__init__(rank, 2 * filters, 4 * filters, filters)
        self.fusing = [Finished(self, "fuse", rank, 2 * filters, 2 * filters, 3, 2)]

    def forward(self, x):
        return super().forward(self.fusing[0].forward(x))


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths, depths, kernels):
        super().__init__()
        self.depth = len(widths)
        self.pool = MAX_POOL[rank](2)
        self.linear = nn.Upsample(scale_factor=2, mode=LINEAR[rank])
        self.stem = ConvNormRelu(rank, channels, widths[0])
        for level, filters in enumerate(widths):
            before = widths[max(0, level - 1)]
            blocks = [Block(rank, before, kernels[level]) for _ in range(depths[level])]
            self.add_module(f"down{level}", nn.Sequential(*blocks))
            self.add_module(f"down{level}_leave", ConvNormRelu(rank, before, filters))
        for level, filters in enumerate(widths[:-1]):
            enter = ConvNormRelu(rank, widths[level + 1], filters)
            self.add_module(f"up{level}_enter", enter)
            self.add_module(f"up{level}", Fusion(rank, filters))
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, x):
        x = self.stem(x)
        skips = []
        for level in range(self.depth):
            x = self.get_submodule(f"down{level}")(self.pool(x) if level else x)
            x = self.get_submodule(f"down{level}_leave")(x)
            skips.append(x)
        for level in reversed(range(self.depth - 1)):
            x = self.get_submodule(f"up{level}_enter")(self.linear(x))
            x = self.get_submodule(f"up{level}")(torch.cat([skips[level], x], 1))
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    widths, depths, kernels = SIZES[variant]
    rank, widths = rank_of(input_shape), scaled(widths, width)
    return Network(rank, input_shape[-1], classes, widths, depths, kernels)
