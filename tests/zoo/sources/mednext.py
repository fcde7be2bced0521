"""MedNeXt, after MIC-DKFZ/MedNeXt, mednextv1, without its dummy parameter.

Its head is a transposed 1x1 convolution, which is the 1x1 convolution that stands here.
"""

from sources.forms import CONV, TRANSPOSED, gelu, rank_of, scaled
from torch import nn
from torch.nn.functional import pad

FORMS = (
    ((32, 32, 3), 1, None),
    ((32, 32, 3), 1, "medium5"),
    ((16, 16, 16, 4), 4, None),
    ((16, 16, 16, 4), 4, "base"),
    ((16, 16, 16, 4), 4, "small5"),
)
WIDTHS = (32, 64, 128, 256, 512)
WIDER = (2, 3, 4, 4, 4, 4, 4, 3, 2)
SIZES = {  # blocks, expansions, kernel
    None: ((2,) * 9, (2,) * 9, 3),
    "base": ((2,) * 9, WIDER, 3),
    "small5": ((2,) * 9, (2,) * 9, 5),
    "medium5": ((3, 4, 4, 4, 4, 4, 4, 4, 3), WIDER, 5),
}


class Mixing(nn.Module):
    """Depthwise convolution, GroupNorm of one channel a group, 1x1 out, GELU, 1x1 back."""

    def __init__(self, rank, before, filters, expansion, kernel, convolve, stride):
        super().__init__()
        self.rank = rank
        self.depthwise = convolve(
            before, before, kernel, stride=stride, padding=kernel // 2, groups=before
        )
        self.norm = nn.GroupNorm(before, before)
        self.expand = CONV[rank](before, expansion * before, 1)
        self.compress = CONV[rank](expansion * before, filters, 1)

    def forward(self, x):
        return self.compress(gelu(self.expand(self.norm(self.depthwise(x)))))


class Block(Mixing):
    def __init__(self, rank, filters, expansion, kernel):
        super().__init__(rank, filters, filters, expansion, kernel, CONV[rank], 1)

    def forward(self, x):
        return x + super().forward(x)


class Down(Mixing):
    def __init__(self, rank, before, filters, expansion, kernel):
        super().__init__(rank, before, filters, expansion, kernel, CONV[rank], 2)
        self.shortcut = CONV[rank](before, filters, 1, stride=2)

    def forward(self, x):
        return self.shortcut(x) + super().forward(x)


class Up(Mixing):
    def __init__(self, rank, before, filters, expansion, kernel):
        super().__init__(rank, before, filters, expansion, kernel, TRANSPOSED[rank], 2)
        self.shortcut = TRANSPOSED[rank](before, filters, 1, stride=2)

    def forward(self, x):
        return pad(self.shortcut(x) + super().forward(x), (1, 0) * self.rank)


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths, blocks, expansions, kernel):
        super().__init__()
        self.depth = len(widths)
        self.stem = CONV[rank](channels, widths[0], 1)

        def stage(filters, number):
            each = [Block(rank, filters, expansions[number], kernel) for _ in range(blocks[number])]
            return nn.Sequential(*each)

        for level, filters in enumerate(widths):
            if level:
                down = Down(rank, widths[level - 1], filters, expansions[level], kernel)
                self.add_module(f"enter{level}", down)
            self.add_module(f"down{level}", stage(filters, level))
        for level, filters in enumerate(widths[:-1]):
            up = Up(rank, widths[level + 1], filters, expansions[8 - level], kernel)
            self.add_module(f"up{level}_enter", up)
            self.add_module(f"up{level}", stage(filters, 8 - level))
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, x):
        x = self.stem(x)
        skips = []
        for level in range(self.depth):
            x = self.get_submodule(f"enter{level}")(x) if level else x
            x = self.get_submodule(f"down{level}")(x)
            skips.append(x)
        for level in reversed(range(self.depth - 1)):
            x = skips[level] + self.get_submodule(f"up{level}_enter")(x)
            x = self.get_submodule(f"up{level}")(x)
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    rank, widths = rank_of(input_shape), scaled(WIDTHS, width)
    return Network(rank, input_shape[-1], classes, widths, *SIZES[variant])
