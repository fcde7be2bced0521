"""Mod-R2AU-Net, after the README of acy010797/Mod-R2AU-Net, with the widths that meet its claims;
variant published_code: after that repository's code, with a projection where it adds 3 to 16."""

import torch
from sources.forms import CONV, MAX_POOL, TRANSPOSED, ConvNormRelu, Gate, rank_of, scaled
from torch import nn

FORMS = (
    ((32, 32, 3), 1, None),
    ((32, 32, 3), 1, "published_code"),
    ((16, 16, 16, 2), 3, None),
)
WIDTHS = {None: (64, 128, 256, 512, 512), "published_code": (16, 32, 64, 128, 256)}


class R2CL(nn.Module):
    """An entry, one unit that sees it four times, and the entry again."""

    def __init__(self, rank, before, filters):
        super().__init__()
        self.enter = ConvNormRelu(rank, before, filters)
        self.unit = ConvNormRelu(rank, filters, filters)

    def forward(self, x):
        entry = self.enter(x)
        state = self.unit(entry)
        for _ in range(3):
            state = self.unit(entry + state)
        return entry + state


class PublishedBlock(nn.Module):
    """Four convolutions; what came in is added after the second and after the fourth."""

    def __init__(self, rank, before, filters):
        super().__init__()
        for name in ("0a", "0b", "1a", "1b"):
            self.add_module(name, ConvNormRelu(rank, before, filters, norm=False))
            if name == "0a":
                self.project = nn.Identity()
                if before != filters:
                    self.project = CONV[rank](before, filters, 1)
                before = filters

    def forward(self, x):
        came = self.project(x)
        for turn in "01":
            x = self.get_submodule(f"{turn}b")(self.get_submodule(f"{turn}a")(x)) + came
        return x


class PublishedGate(Gate):
    """Passes the projected skip, not the skip."""

    def __init__(self, rank, filters, inter):
        super().__init__(rank, filters, inter, norm=False)

    def forward(self, skip, signal):
        skip = self.skip_conv(skip)
        return skip * self.weight(skip, self.signal_conv(signal))


class Network(nn.Module):
    def __init__(self, rank, channels, classes, widths, published):
        super().__init__()
        self.depth, self.stem = len(widths) - 1, nn.Identity()
        block, gate = (PublishedBlock, PublishedGate) if published else (R2CL, Gate)
        if published:
            self.stem = ConvNormRelu(rank, channels, 3, norm=False)
            channels = 3
        for level in range(self.depth):
            before = widths[level - 1] if level else channels
            filters, below = widths[level : level + 2]
            self.add_module(f"down{level}", block(rank, before, filters))
            self.add_module(f"up{level}_transposed", TRANSPOSED[rank](below, filters, 2, 2))
            self.add_module(f"gate{level}", gate(rank, filters, filters))
            self.add_module(f"up{level}", block(rank, 2 * filters, filters))
        self.bottleneck = block(rank, widths[-2], widths[-1])
        self.pool = MAX_POOL[rank](2)
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, x):
        x = self.stem(x)
        skips = []
        for level in range(self.depth):
            x = self.get_submodule(f"down{level}")(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottleneck(x)
        for level in reversed(range(self.depth)):
            x = self.get_submodule(f"up{level}_transposed")(x)
            gated = self.get_submodule(f"gate{level}")(skips[level], x)
            x = self.get_submodule(f"up{level}")(torch.cat([x, gated], 1))
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    rank, widths = rank_of(input_shape), scaled(WIDTHS[variant], width)
    return Network(rank, input_shape[-1], classes, widths, variant == "published_code")
