"""HNOSeg-XS, after IBM/multimodal-3d-image-segmentation, nets/hnosegxs.py and dht.py."""

import torch
from sources.forms import CONV, rank_of, scaled
from torch import nn
from torch.nn.functional import interpolate, selu

FORMS = (((64, 60, 3), 1, None), ((24, 32, 40, 4), 4, None))
MODES = (10, 14, 14)


def hartley(x: torch.Tensor, inverse: bool = False) -> torch.Tensor:
    axes = tuple(range(2, x.ndim))
    spectrum = torch.fft.fftn(x, dim=axes, norm="backward" if inverse else "forward")
    return spectrum.real - spectrum.imag


def corners(x: torch.Tensor, modes: list[int]) -> torch.Tensor:
    """Keep the first and the last frequencies of every side."""
    for axis, (side, most) in enumerate(zip(x.shape[2:], modes, strict=True), start=2):
        kept = min(most, side // 2)
        ends = (x.narrow(axis, 0, kept), x.narrow(axis, side - kept, kept))
        x = torch.cat(ends, axis)
    return x


def spread(x: torch.Tensor, sides: tuple[int, ...]) -> torch.Tensor:
    """Put zeros between them again."""
    for axis, side in enumerate(sides, start=2):
        half = x.shape[axis] // 2
        shape = [*x.shape]
        shape[axis] = side - 2 * half
        ends = x.narrow(axis, 0, half), x.narrow(axis, half, half)
        x = torch.cat([ends[0], x.new_zeros(shape), ends[1]], axis)
    return x


class ConvSelu(nn.Module):
    def __init__(self, rank, before, filters, kernel=1, stride=1, padding=0):
        super().__init__()
        self.conv = CONV[rank](before, filters, kernel, stride, padding)

    def forward(self, x):
        return selu(self.conv(x))


class Block(ConvSelu):
    def __init__(self, rank, filters, joined):
        super().__init__(rank, 2 * filters, filters)
        self.modes = MODES[-rank:]
        self.map = ConvSelu(rank, 2 * filters, filters) if joined else nn.Identity()
        for step in range(3):
            self.add_module(f"mix{step}", CONV[rank](filters, filters, 1, bias=False))

    def forward(self, x):
        x = self.map(x)
        z = corners(hartley(x), self.modes)
        for step in range(3):
            z = selu(self.get_submodule(f"mix{step}")(z) + z)
        z = selu(hartley(spread(z, x.shape[2:]), inverse=True))
        return super().forward(torch.cat([z, x], 1))


class Network(nn.Module):
    def __init__(self, rank, channels, classes, filters):
        super().__init__()
        self.enter = ConvSelu(rank, channels, filters, 2, 2, 1)
        self.project = ConvSelu(rank, filters, filters)
        for number in range(8):
            self.add_module(f"block{number}", Block(rank, filters, joined=number > 4))
        self.logits = CONV[rank](filters, classes, 1, bias=False)
        self.mode = {2: "bilinear", 3: "trilinear"}[rank]

    def forward(self, x):
        sides, skips = x.shape[2:], []
        x = self.project(self.enter(x))
        for number in range(8):
            if number > 4:
                x = torch.cat([x, skips[7 - number]], 1)
            x = self.get_submodule(f"block{number}")(x)
            skips.append(x)
        return self.logits(interpolate(x, size=sides, mode=self.mode))


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    (filters,) = scaled((24,), width)
    return Network(rank_of(input_shape), input_shape[-1], classes, filters)
