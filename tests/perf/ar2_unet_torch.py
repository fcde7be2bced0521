"""AR2-UNet as its authors' framework has it: plain PyTorch, eager, channels first.

    python ar2_unet_torch.py train|predict WIDTH SIDE BATCH SECONDS

prints a JSON line: seconds of a step at the median, of the first one, and trainable parameters. It
imports nothing of this project, so that it can live in an environment of its own.
"""

import json
import statistics
import sys
import time

import torch
from torch import nn

WIDTHS = (64, 128, 256, 512, 1024)
STEPS = 2


class Unit(nn.Module):
    """One convolution and one BatchNorm, applied again to its own output plus the input."""

    def __init__(self, width: int):
        super().__init__()
        self.once = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )

    def forward(self, x):
        """Recur."""
        y = self.once(x)
        for _ in range(STEPS):
            y = self.once(x + y)
        return y


class Block(nn.Module):
    """A 1x1 projection, two recurrent units, and the projection added back."""

    def __init__(self, before: int, width: int):
        super().__init__()
        self.project = nn.Conv2d(before, width, 1)
        self.units = nn.Sequential(Unit(width), Unit(width))

    def forward(self, x):
        """Project, recur twice, add."""
        x = self.project(x)
        return x + self.units(x)


class Gate(nn.Module):
    """Additive attention in half the width."""

    def __init__(self, width: int):
        super().__init__()
        inter = width // 2
        self.skip = nn.Sequential(nn.Conv2d(width, inter, 1), nn.BatchNorm2d(inter))
        self.signal = nn.Sequential(nn.Conv2d(width, inter, 1), nn.BatchNorm2d(inter))
        self.psi = nn.Sequential(nn.Conv2d(inter, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, skip, signal):
        """Weight the skip."""
        return skip * self.psi(torch.relu(self.skip(skip) + self.signal(signal)))


class Up(nn.Module):
    """Twice the size by repetition, then a convolution."""

    def __init__(self, before: int, width: int):
        super().__init__()
        self.once = nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.Conv2d(before, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        """Double, convolve."""
        return self.once(x)


class AR2UNet(nn.Module):
    """The network of zoo/architectures/ar2_unet.py."""

    def __init__(self, channels: int = 3, width: float = 1.0):
        super().__init__()
        widths = [int(width * base) for base in WIDTHS]
        self.downs = nn.ModuleList(
            Block(before, after) for before, after in zip([channels, *widths], widths, strict=False)
        )
        pairs = list(zip(widths[1:], widths, strict=False))[::-1]
        self.ups = nn.ModuleList(Up(deep, flat) for deep, flat in pairs)
        self.gates = nn.ModuleList(Gate(flat) for _, flat in pairs)
        self.joins = nn.ModuleList(Block(2 * flat, flat) for _, flat in pairs)
        self.head = nn.Conv2d(widths[0], 1, 1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        """Return probabilities."""
        skips = []
        for place, down in enumerate(self.downs):
            x = down(self.pool(x) if place else x)
            skips.append(x)
        for up, gate, join, skip in zip(
            self.ups, self.gates, self.joins, skips[-2::-1], strict=True
        ):
            x = up(x)
            x = join(torch.cat([gate(skip, x), x], 1))
        return torch.sigmoid(self.head(x))


def measure(what: str, width: float, side: int, batch: int, seconds: float) -> dict:
    """Time training steps, or predictions, on random images."""
    torch.manual_seed(0)
    model = AR2UNet(width=width)
    images = torch.rand(batch, 3, side, side)
    masks = (torch.rand(batch, 1, side, side) > 0.9).float()
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    loss = nn.BCELoss()

    def train() -> None:
        optimiser.zero_grad()
        loss(model(images), masks).backward()
        optimiser.step()

    @torch.inference_mode()
    def predict() -> None:
        model(images)

    model.train(what == "train")
    step = train if what == "train" else predict
    times: list[float] = []
    while len(times) < 5 or sum(times) < seconds:
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return {
        "s": statistics.median(times[1:]),
        "first_s": times[0],
        "trainable": sum(weights.numel() for weights in model.parameters()),
    }


if __name__ == "__main__":
    what, width, side, batch, seconds = sys.argv[1:]
    print(json.dumps(measure(what, float(width), int(side), int(batch), float(seconds))))
