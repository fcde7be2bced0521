"""Masks of a plain PyTorch U-Net, an implementation that shares no code with ours but the data.

    python tests/perf/torch_unet_masks.py FOLDER --out masks --epochs 8
    gliozoo score masks --name "PyTorch U-Net" --data FOLDER --protocol lgg2d_lite
    gliozoo compare --protocol lgg2d_lite

It trains on the split and the batches of `lgg2d_lite` (slices of 96 x 96, half of them with tumour)
at a quarter of the published widths, with Adam, a cosine schedule and BCE + Dice as that protocol
says, all written by hand; keeps the weights with the best Dice on the validation patients; and
writes a PNG for each slice of the test patients, on the scan's own grid.
"""

import argparse
import copy
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

import data_pipeline
from benchmarks.protocols import protocol
from data_pipeline import origin

WIDTHS = (16, 32, 64, 128, 256)


def double(into: int, out: int) -> nn.Sequential:
    """Return two convolutions with BatchNorm."""
    return nn.Sequential(
        nn.Conv2d(into, out, 3, padding=1),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
        nn.Conv2d(out, out, 3, padding=1),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """Ronneberger's U-Net, padded."""

    def __init__(self, channels: int, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        self.down = nn.ModuleList(
            double(into, out) for into, out in zip((channels, *widths), widths, strict=False)
        )
        pairs = list(zip(widths[::-1], widths[-2::-1], strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairs)
        self.join = nn.ModuleList(double(2 * b, b) for _, b in pairs)
        self.last = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        skips = []
        for level, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if level else x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, skips[-2::-1], strict=True):
            x = join(torch.cat([skip, up(x)], dim=1))
        return self.last(x)


def loss(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return BCE + soft Dice, each sample by itself."""
    p, axes = torch.sigmoid(logits), (1, 2, 3)
    dice = 1 - (2 * (p * y).sum(axes) + 1) / (p.sum(axes) + y.sum(axes) + 1)
    return functional.binary_cross_entropy_with_logits(logits, y) + dice.mean()


def tensor(images: np.ndarray) -> torch.Tensor:
    """Bring channels to the front."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1), np.float32))


@torch.no_grad()
def answer(model: UNet, images: np.ndarray) -> np.ndarray:
    """Return `(D, h, w, 1)` probabilities."""
    model.eval()
    parts = [torch.sigmoid(model(tensor(part))) for part in np.array_split(images, len(images))]
    return np.moveaxis(torch.cat(parts).numpy(), 1, -1)


def validated(model: UNet, data: data_pipeline.Data) -> float:
    """Return the mean Dice over the validation patients."""
    scores = []
    for patient in data.patients("val"):
        found = patient.restore(answer(model, patient.images))[..., 0] >= 0.5
        truth = patient.reference > 0
        whole = found.sum() + truth.sum()
        scores.append(2 * (found & truth).sum() / whole if whole else 1.0)
    return float(np.mean(scores))


def trained(data: data_pipeline.Data, epochs: int, rate: float, seed: int) -> UNet:
    """Train; keep the best weights."""
    torch.manual_seed(seed)
    model = UNet(len(data.channels))
    optimiser = torch.optim.Adam(model.parameters(), rate)
    steps = epochs * data.steps_per_epoch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    best, kept = -1.0, copy.deepcopy(model.state_dict())
    for epoch in range(epochs):
        model.train()
        for x, y in data.batches("train", epoch):
            optimiser.zero_grad()
            loss(model(tensor(x)), tensor(y)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        now = validated(model, data)
        print(f"epoch {epoch + 1}/{epochs}: validation Dice {now:.3f}", flush=True)
        if now > best:
            best, kept = now, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return model


def main() -> None:
    """Train, and write the masks of the test patients."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("masks"))
    parser.add_argument("--protocol", default="lgg2d_lite")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chosen = protocol.shipped(arguments.protocol)
    data = data_pipeline.load(chosen.data, arguments.seed, root=arguments.data)
    cases = {
        case.name: case
        for case in origin.find(chosen.data, arguments.data, origin.default_cache()).cases
    }
    epochs = arguments.epochs or chosen.train.epochs
    model = trained(data, epochs, chosen.train.learning_rate, arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for patient in data.patients("test"):
        found = patient.restore(answer(model, patient.images))[..., 0] >= 0.5
        for path, plane in zip(cases[patient.id].images, found, strict=True):
            mask = plane.astype(np.uint8) * 255
            cv2.imwrite(str(arguments.out / f"{path.stem}_mask.png"), mask)


if __name__ == "__main__":
    main()
