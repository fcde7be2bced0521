"""What R2U-Net and R2AttU_Net share in LeeJunHyun/Image_Segmentation, network.py."""

from sources.forms import CONV, ConvNormRelu
from torch import nn


class Recurrent(ConvNormRelu):
    """One unit, t + 1 times; the input is added from the second time on."""

    def forward(self, x):
        y = super().forward(x)
        for _ in range(2):
            y = super().forward(x + y)
        return y


class RecurrentResidual(nn.Module):
    def __init__(self, rank: int, before: int, filters: int):
        super().__init__()
        self.project = CONV[rank](before, filters, 1)
        self.unit0 = Recurrent(rank, filters, filters)
        self.unit1 = Recurrent(rank, filters, filters)

    def forward(self, x):
        x = self.project(x)
        return x + self.unit1(self.unit0(x))
