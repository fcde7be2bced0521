"""SegFormer3D, after its paper (arXiv 2404.10156) and SegFormer's; its code was not read."""

import torch
from sources.forms import BATCH_NORM, CONV, rank_of, scaled
from sources.monai_blocks import attend
from torch import nn
from torch.nn.functional import gelu, interpolate

FORMS = (((64, 32, 3), 1, None), ((32, 32, 64, 4), 3, None))
WIDTHS = (32, 64, 160, 256, 256)
HEADS = (1, 2, 5, 8)
REDUCTIONS = (4, 2, 1, 1)
MODE = {4: "bilinear", 5: "trilinear"}


class LastNorm(nn.LayerNorm):
    """Over the channels of (batch, channels, sides)."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


def rows(x):
    return x.flatten(2).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, rank, width, heads, reduction):
        super().__init__()
        self.heads = heads
        self.norm0, self.norm1 = LastNorm(width), LastNorm(width)
        self.reduce = self.reduce_norm = nn.Identity()
        if reduction > 1:
            self.reduce = CONV[rank](width, width, reduction, reduction)
            self.reduce_norm = LastNorm(width)
        self.query, self.pairs = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.project = nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.depthwise = CONV[rank](4 * width, 4 * width, 3, padding=1, groups=4 * width)
        self.mix_norm = BATCH_NORM[rank](4 * width)

    def forward(self, x):
        sides = x.shape[2:]
        y = self.norm0(x)
        pairs = self.pairs(rows(self.reduce_norm(self.reduce(y))))
        y = attend(self.query(rows(y)), *pairs.chunk(2, -1), self.heads)
        x = x + self.project(y).transpose(1, 2).unflatten(2, sides)
        y = self.widen(rows(self.norm1(x))).transpose(1, 2).unflatten(2, sides)
        y = gelu(self.mix_norm(self.depthwise(y)))
        return x + self.narrow(rows(y)).transpose(1, 2).unflatten(2, sides)


class ConvLastNorm(nn.Module):
    def __init__(self, rank, before, width, kernel, stride):
        super().__init__()
        self.conv = CONV[rank](before, width, kernel, stride, kernel // 2)
        self.norm = LastNorm(width)

    def forward(self, x):
        return self.norm(self.conv(x))


class Network(nn.Module):
    def __init__(self, rank, before, classes, widths):
        super().__init__()
        *encoder, decoder = widths
        for stage, width in enumerate(encoder):
            kernel, stride = (3, 2) if stage else (7, 4)
            self.add_module(f"embed{stage}", ConvLastNorm(rank, before, width, kernel, stride))
            for number in (0, 1):
                block = Block(rank, width, HEADS[stage], REDUCTIONS[stage])
                self.add_module(f"stage{stage}_{number}", block)
            self.add_module(f"stage{stage}_norm", LastNorm(width))
            self.add_module(f"level{stage}", nn.Linear(width, decoder))
            self.add_module(f"level{stage}_norm", nn.LayerNorm(decoder))
            before = width
        self.fuse = CONV[rank](4 * decoder, decoder, 1, bias=False)
        self.fuse_norm = BATCH_NORM[rank](decoder)
        self.logits = CONV[rank](decoder, classes, 1)

    def forward(self, image):
        x, levels = image, []
        for stage in range(4):
            x = self.get_submodule(f"embed{stage}")(x)
            for number in (0, 1):
                x = self.get_submodule(f"stage{stage}_{number}")(x)
            x = self.get_submodule(f"stage{stage}_norm")(x)
            y = self.get_submodule(f"level{stage}_norm")(
                self.get_submodule(f"level{stage}")(rows(x))
            )
            levels.append(y.transpose(1, 2).unflatten(2, x.shape[2:]))
        mode, sides = MODE[x.ndim], levels[0].shape[2:]
        levels = [interpolate(y, size=sides, mode=mode) for y in reversed(levels)]
        x = self.fuse_norm(self.fuse(torch.cat(levels, 1))).relu()
        return interpolate(self.logits(x), size=image.shape[2:], mode=mode)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    return Network(rank_of(input_shape), input_shape[-1], classes, scaled(WIDTHS, width))
