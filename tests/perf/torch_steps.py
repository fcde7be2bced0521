"""A network of tests/zoo/sources in plain PyTorch: seconds of a training step and of a prediction.

    python torch_steps.py NETWORK LAYOUT SIDE,SIDE,CHANNELS WIDTH BATCH SECONDS

prints a JSON line. Layouts are `first`, `last` (channels last in memory) and `compiled` (first, by
torch.compile). It needs torch and NumPy alone, so that it can run in an environment of its own.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "zoo"))

STRIDES = {4: torch.channels_last, 5: torch.channels_last_3d}
LEAST = 5  # steps, however long they take


def measure(
    name: str, layout: str, shape: tuple[int, ...], width: float, batch: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Time both on random images, with Adam and cross-entropy on logits."""
    torch.manual_seed(0)
    module = import_module(f"sources.{name}").network(shape, 1, width, None)
    images = torch.rand(batch, shape[-1], *shape[:-1])
    masks = (torch.rand(batch, 1, *shape[:-1]) > 0.9).float()
    if layout == "last":
        strides = STRIDES[images.ndim]
        module = module.to(memory_format=strides)
        images = images.to(memory_format=strides)
    _overwrite(module, images)
    call = torch.compile(module) if layout == "compiled" else module
    optimiser = torch.optim.Adam(module.parameters(), 1e-3)
    loss = nn.BCEWithLogitsLoss()

    def train() -> None:
        optimiser.zero_grad()
        loss(call(images), masks).backward()
        optimiser.step()

    @torch.inference_mode()
    def predict() -> None:
        torch.sigmoid(call(images))

    told = {"train": timed(train, seconds)}
    module.eval()
    return told | {"predict": timed(predict, seconds)}


def _overwrite(module: nn.Module, images: torch.Tensor) -> None:
    """Have every ReLU write over what it is given, as authors' code does, where that is the same.

    It saves a copy of each feature map, forward and for the gradients.
    """
    plain = torch.Tensor.relu
    module.eval()
    with torch.inference_mode():
        before = module(images)
        torch.Tensor.relu = torch.Tensor.relu_
        if not torch.equal(before, module(images)):
            torch.Tensor.relu = plain
    module.train()


def timed(step: Callable[[], None], seconds: float) -> dict[str, float]:
    """Return the first step's seconds, and the median of those behind the second."""
    times: list[float] = []
    while len(times) < LEAST + 2 or sum(times[2:]) < seconds:
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return {"s": statistics.median(times[2:]), "first_s": times[0]}


if __name__ == "__main__":
    name, layout, shape, width, batch, seconds = sys.argv[1:]
    sides = tuple(map(int, shape.split(",")))
    print(json.dumps(measure(name, layout, sides, float(width), int(batch), float(seconds))))
