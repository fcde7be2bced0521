"""EfficientNetB0 as keras.applications has it, up to the expansion of its sixth stage.

Without its stochastic depth, which is off on our side, too. Of an even side its strided
convolutions see one place more at the far end than at the near one.
"""

import torch
from torch import nn
from torch.nn.functional import pad, silu

# kernel, blocks, filters out, expansion, stride: table 1 of its paper
STAGES = ((3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1))


class Strided(nn.Conv2d):
    def forward(self, x):
        if self.stride == (2, 2):
            half = self.kernel_size[0] // 2
            x = pad(x, (half - 1, half) * 2)
        return super().forward(x)


def convolution(before, filters, kernel, stride=1, groups=1):
    around = kernel // 2 if stride == 1 else 0
    return Strided(before, filters, kernel, stride, around, groups=groups, bias=False)


class Standardised(nn.Module):
    """Takes the training data's mean and deviation, which are weights that nothing trains."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("variance", torch.ones(3))
        self.register_buffer("count", torch.tensor(0))

    def forward(self, x):
        mean, variance = (value.view(1, 3, 1, 1) for value in (self.mean, self.variance))
        return (x - mean) / variance.sqrt()


class Block(nn.Module):
    """Expand, convolve each channel, weigh the channels, project; a shortcut where it fits."""

    def __init__(self, before, filters, kernel, expansion, stride):
        super().__init__()
        self.fits, self.expanded = stride == 1 and before == filters, expansion > 1
        wide = before * expansion
        if self.expanded:
            self.expand_conv = convolution(before, wide, 1)
            self.expand_bn = nn.BatchNorm2d(wide)
        self.dwconv = convolution(wide, wide, kernel, stride, groups=wide)
        self.bn = nn.BatchNorm2d(wide)
        self.se_reduce = nn.Conv2d(wide, before // 4, 1)
        self.se_expand = nn.Conv2d(before // 4, wide, 1)
        self.project_conv = convolution(wide, filters, 1)
        self.project_bn = nn.BatchNorm2d(filters)

    def expand(self, x):
        return silu(self.expand_bn(self.expand_conv(x))) if self.expanded else x

    def rest(self, x, wide):
        wide = silu(self.bn(self.dwconv(wide)))
        weight = silu(self.se_reduce(wide.mean((2, 3), keepdim=True)))
        wide = wide * self.se_expand(weight).sigmoid()
        y = self.project_bn(self.project_conv(wide))
        return x + y if self.fits else y

    def forward(self, x):
        return self.rest(x, self.expand(x))


class EfficientNetB0(nn.Module):
    """Takes images in [0, 1]; returns the expansions of stages 3 (1/4) and 6 (1/16)."""

    def build_encoder(self):
        self.encoder_normalization = Standardised()
        self.stem_conv = convolution(3, 32, 3, 2)
        self.stem_bn = nn.BatchNorm2d(32)
        before, self.names = 32, []
        for stage, (kernel, blocks, filters, expansion, stride) in enumerate(STAGES, 1):
            for letter in "abc"[:blocks]:
                step = stride if letter == "a" else 1
                self.names.append(f"block{stage}{letter}")
                self.add_module(self.names[-1], Block(before, filters, kernel, expansion, step))
                before = filters
        self.block6a_expand_conv = convolution(before, 6 * before, 1)
        self.block6a_expand_bn = nn.BatchNorm2d(6 * before)

    def encode(self, x):
        # Ours scales to bytes, the encoder's first layer back.
        x = silu(self.stem_bn(self.stem_conv(self.encoder_normalization(x))))
        for name in self.names:
            block = self.get_submodule(name)
            wide = block.expand(x)
            if name == "block3a":
                low = wide
            x = block.rest(x, wide)
        return low, silu(self.block6a_expand_bn(self.block6a_expand_conv(x)))
