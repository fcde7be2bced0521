"""DeepLabV3+ on EfficientNetB0, as soyelshyngys/Brain-Tumor-Segmentation-Research builds it, fed
with the bytes that its encoder expects.

The image is long, so that each rate of its pyramid meets features that it can reach.
"""

import torch
from sources.forms import ConvNormRelu, Pair, scaled
from sources.keras_efficientnetb0 import EfficientNetB0
from torch import nn
from torch.nn.functional import interpolate

FORMS = (((320, 64, 3), 4, None),)
WIDTHS = (256, 48, 256)  # of the pyramid, of the low features, of the decoder
RATES = (6, 12, 18)
LOW, HIGH = 144, 672


class Dilated(ConvNormRelu):
    def __init__(self, before, filters, rate):
        super().__init__(2, before, filters, bias=False)
        self.conv = nn.Conv2d(before, filters, 3, padding=rate, dilation=rate, bias=False)


class Pyramid(nn.Module):
    def __init__(self, filters):
        super().__init__()
        self.add_module("1x1", ConvNormRelu(2, HIGH, filters, 1, bias=False))
        for rate in RATES:
            self.add_module(f"rate{rate}", Dilated(HIGH, filters, rate))
        self.image = ConvNormRelu(2, HIGH, filters, 1, bias=False)
        self.project = ConvNormRelu(2, (len(RATES) + 2) * filters, filters, 1, bias=False)

    def forward(self, x):
        scales = [self.get_submodule("1x1")(x)]
        scales += [self.get_submodule(f"rate{rate}")(x) for rate in RATES]
        scales.append(self.image(x.mean((2, 3), keepdim=True)).expand_as(scales[0]))
        return self.project(torch.cat(scales, 1))


class Network(EfficientNetB0):
    def __init__(self, classes, widths):
        super().__init__()
        self.build_encoder()
        context, low, decoder = widths
        self.aspp = Pyramid(context)
        self.low = ConvNormRelu(2, LOW, low, 1, bias=False)
        self.decoder = Pair(2, context + low, decoder, bias=False)
        self.logits = nn.Conv2d(decoder, classes, 1)

    def forward(self, x):
        low, high = self.encode(x)
        x = interpolate(self.aspp(high), scale_factor=4, mode="bilinear")
        x = self.decoder(torch.cat([x, self.low(low)], 1))
        return self.logits(interpolate(x, scale_factor=4, mode="bilinear"))


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    return Network(classes, scaled(WIDTHS, width))
