"""U-Net on ResNet50, with the decoder of qubvel/segmentation_models (Unet) and the encoder of
keras.applications, as the card says."""

import torch
from sources.forms import Pair, scaled
from sources.keras_resnet50 import ResNet50
from torch import nn

FORMS = (((64, 64, 3), 4, None),)
WIDTHS = (256, 128, 64, 32, 16)
SKIPS = (1024, 512, 256, 64, 0)


class Network(ResNet50):
    def __init__(self, classes, widths):
        super().__init__()
        self.build_encoder()
        before = 2048
        for stage, (filters, skip) in enumerate(zip(widths, SKIPS, strict=True)):
            self.add_module(f"up{stage}", Pair(2, before + skip, filters, bias=False))
            before = filters
        self.twice = nn.Upsample(scale_factor=2)
        self.logits = nn.Conv2d(before, classes, 3, padding=1)

    def forward(self, x):
        *skips, x = self.encode(x)
        for stage in range(len(SKIPS)):
            x = self.twice(x)
            if skips:
                x = torch.cat([x, skips.pop()], 1)
            x = self.get_submodule(f"up{stage}")(x)
        return self.logits(x)


def network(input_shape: tuple, classes: int, width: float, variant: str | None) -> nn.Module:
    return Network(classes, scaled(WIDTHS, width))
