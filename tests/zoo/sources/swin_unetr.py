"""Swin UNETR, after Project-MONAI/MONAI, networks/nets/swin_unetr.py, patch merging V1."""

import itertools

import torch
from sources.forms import CONV, rank_of
from sources.monai_blocks import Decoder, Mlp, Residual, attend
from torch import nn
from torch.nn.functional import layer_norm, pad

FORMS = (
    ((64, 64, 3), 1, None),
    ((32, 32, 32, 4), 3, None),
    ((32, 32, 32, 4), 3, "small"),
)
HEADS = (3, 6, 12, 24)
WINDOW = 5  # and not 7, so that volumes take seconds; 16 and 8 places are filled up, 4 are not
SETTINGS = {"window": WINDOW}


def windows_of(x, sizes):
    """Cut (batch, sides, channels) into (batch x windows, places, channels)."""
    rank = len(sizes)
    for axis, size in enumerate(sizes):
        x = x.unflatten(1 + 2 * axis, (-1, size))
    order = [0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1]
    return x.permute(order).flatten(0, rank).flatten(1, rank)


def image_of(windows, sizes, sides):
    """Paste them again."""
    rank, counts = len(sizes), [n // size for n, size in zip(sides, sizes, strict=True)]
    x = windows.reshape(-1, *counts, *sizes, windows.shape[-1])
    order = [0, *itertools.chain(*((1 + a, 1 + rank + a) for a in range(rank))), 2 * rank + 1]
    return x.permute(order).reshape(-1, *sides, windows.shape[-1])


def mask_of(sides, sizes, shifts):
    """Number the regions of a rolled image; -100 between places of two of them."""
    regions = torch.zeros(1, *sides, 1)
    pieces = [
        (slice(-size), slice(-size, -shift), slice(-shift, None))
        for size, shift in zip(sizes, shifts, strict=True)
    ]
    for number, piece in enumerate(itertools.product(*pieces)):
        regions[(slice(None), *piece)] = number
    regions = windows_of(regions, sizes).squeeze(-1)
    apart = regions[:, None] != regions[:, :, None]
    return apart * -100.0


class Attend(nn.Module):
    def __init__(self, rank, heads):
        super().__init__()
        self.heads = heads
        self.table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** rank, heads))
        places = torch.tensor([*itertools.product(range(WINDOW), repeat=rank)])
        offsets = places[:, None] - places[None] + WINDOW - 1
        strides = torch.tensor([(2 * WINDOW - 1) ** axis for axis in reversed(range(rank))])
        self.index = (offsets * strides).sum(-1)

    def forward(self, qkv, mask):
        count = qkv.shape[1]
        bias = self.table[self.index[:count, :count]].permute(2, 0, 1)
        if mask is not None:
            batch = len(qkv) // len(mask)
            bias = bias + mask.repeat(batch, 1, 1)[:, None]
        return attend(*qkv.chunk(3, -1), self.heads, bias)


class Block(nn.Module):
    def __init__(self, rank, width, heads, shifted):
        super().__init__()
        self.shift = WINDOW // 2 if shifted else 0
        self.norm0, self.norm1 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.attend = Attend(rank, heads)
        self.mlp = Mlp(width)

    def forward(self, x):
        x = x + self.windowed(self.norm0(x))
        return x + self.mlp(self.norm1(x))

    def windowed(self, x):
        sides = x.shape[1:-1]
        sizes = [min(WINDOW, side) for side in sides]
        shifts = [self.shift if side > WINDOW else 0 for side in sides]
        more = [-side % size for side, size in zip(sides, sizes, strict=True)]
        x = pad(x, (0, 0, *itertools.chain(*((0, n) for n in reversed(more)))))
        whole, axes, mask = x.shape[1:-1], [*range(1, 1 + len(sides))], None
        if any(shifts):
            mask = mask_of(whole, sizes, shifts)
            x = x.roll([-shift for shift in shifts], axes)
        x = self.project(self.attend(self.qkv(windows_of(x, sizes)), mask))
        x = image_of(x, sizes, whole).roll(shifts, axes)
        return x[(slice(None), *map(slice, sides))]


def neighbours(x):
    if x.ndim == 4:
        return [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    taken = ("000", "100", "010", "001", "101", "010", "001", "111")
    return [x[:, int(i) :: 2, int(j) :: 2, int(k) :: 2] for i, j, k in taken]


class Network(Decoder):
    def __init__(self, rank, channels, classes, widths):
        super().__init__()
        self.embed = CONV[rank](channels, widths[0], 2, 2)
        for stage, (width, heads) in enumerate(zip(widths[:-1], HEADS, strict=True)):
            for number in (0, 1):
                block = Block(rank, width, heads, shifted=number == 1)
                self.add_module(f"stage{stage}_{number}", block)
            self.add_module(f"merge{stage}_norm", nn.LayerNorm(2**rank * width))
            merge = nn.Linear(2**rank * width, widths[stage + 1], bias=False)
            self.add_module(f"merge{stage}", merge)
        self.skip0 = Residual(rank, channels, widths[0])
        for level, width in enumerate(widths[:3], start=1):
            self.add_module(f"skip{level}", Residual(rank, width, width))
        self.bottleneck = Residual(rank, widths[-1], widths[-1])
        self.build(rank, [widths[0], *widths])
        self.logits = CONV[rank](widths[0], classes, 1)

    def forward(self, image):
        x = self.embed(image).movedim(1, -1)
        hidden = [x]
        for stage in range(4):
            for number in (0, 1):
                x = self.get_submodule(f"stage{stage}_{number}")(x)
            x = self.get_submodule(f"merge{stage}_norm")(torch.cat(neighbours(x), -1))
            x = self.get_submodule(f"merge{stage}")(x)
            hidden.append(x)
        hidden = [layer_norm(x, x.shape[-1:]).movedim(-1, 1) for x in hidden]
        skips = [image, *hidden[:3]]
        skips = [self.get_submodule(f"skip{n}")(x) for n, x in enumerate(skips)]
        return self.logits(self.decode(self.bottleneck(hidden[4]), [*skips, hidden[3]]))


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    size = round((24 if variant == "small" else 48) * width)
    widths = [size * 2**stage for stage in range(5)]
    return Network(rank_of(input_shape), input_shape[-1], classes, widths)
