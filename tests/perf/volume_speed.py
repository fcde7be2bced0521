"""`make perf-volume`: what sliding over a volume adds to the network's own calls, and MONAI's way.

One network in torch, so that both sides call the very same; the rounds alternate in one process and
what counts is the median of the ratios. MONAI and torch are no dependency: where this interpreter
lacks them, name one that has them, `make perf-volume PEER_PYTHON=/path/to/python`.
"""

import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import pages

from benchmarks.inference import sliding

SHAPE, CHANNELS, CLASSES = (96, 128, 112), 4, 4
WINDOW = (48, 64, 64)
OVERLAP, BATCH, ROUNDS = 0.5, 2, 5
WIDTHS = (8, 16, 32)  # of a small U-Net: a tenth of the operations of any that one would use
OUT = Path("docs/perf")


def network() -> Any:
    """Return a U-Net of three levels: light, so that what is added to it shows."""
    import torch

    def block(before: int, after: int) -> Any:
        return torch.nn.Sequential(
            torch.nn.Conv3d(before, after, 3, padding=1), torch.nn.ReLU(inplace=True)
        )

    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            first, second, third = WIDTHS
            self.down0, self.down1 = block(CHANNELS, first), block(first, second)
            self.bottom = block(second, third)
            self.up1, self.up0 = block(third + second, second), block(second + first, first)
            self.head = torch.nn.Conv3d(first, CLASSES, 1)
            self.pool, self.up = torch.nn.MaxPool3d(2), torch.nn.Upsample(scale_factor=2)

        def forward(self, x: Any) -> Any:
            zero = self.down0(x)
            one = self.down1(self.pool(zero))
            two = self.up(self.bottom(self.pool(one)))
            one = self.up(self.up1(torch.cat([two, one], 1)))
            return self.head(self.up0(torch.cat([one, zero], 1)))

    torch.manual_seed(0)
    return Small().eval()


def measure() -> dict[str, Any]:
    """Time the bare calls, our slide and MONAI's by turns."""
    import torch
    from monai.inferers import sliding_window_inference

    model = network()
    scan = np.random.default_rng(0).normal(size=(*SHAPE, CHANNELS)).astype(np.float32)
    tensor = torch.from_numpy(np.moveaxis(scan, -1, 0)[None].copy())

    def answer(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.moveaxis(model(torch.from_numpy(np.moveaxis(batch, -1, 1))).numpy(), 1, -1)

    windows = sliding.boxes(SHAPE, WINDOW, OVERLAP)
    batch = np.stack([scan[box] for box in windows[:BATCH]])

    def bare() -> None:
        for _ in range(0, len(windows), BATCH):
            answer(batch)

    def ours() -> np.ndarray:
        return sliding.slide(answer, scan, sliding.Windows(WINDOW, OVERLAP), batch_size=BATCH)

    def theirs() -> np.ndarray:
        with torch.inference_mode():
            found = sliding_window_inference(
                tensor, WINDOW, BATCH, model, overlap=OVERLAP, mode="gaussian"
            )
        return np.moveaxis(found[0].numpy(), 0, -1)

    np.testing.assert_allclose(ours(), theirs(), atol=1e-4)
    return _told(
        [{"bare": _time(bare), "ours": _time(ours), "monai": _time(theirs)} for _ in range(ROUNDS)]
    )


def _time(job: Callable[[], Any]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def _told(rounds: list[dict[str, float]]) -> dict[str, Any]:
    def ratios(over: str, under: str) -> list[float]:
        return [round(one[over] / one[under], 3) for one in rounds]

    seconds = {name: round(statistics.median(one[name] for one in rounds), 3) for name in rounds[0]}
    overhead, peer = ratios("ours", "bare"), ratios("monai", "ours")
    return {
        "seconds": seconds,
        "overhead": round(statistics.median(overhead) - 1, 3),
        "overheads": overhead,
        "monai_over_ours": round(statistics.median(peer), 3),
        "monai_over_ours_each": peer,
    }


def main() -> int:
    """Run under the peer's interpreter if need be; print and write what came out."""
    if not all(importlib.util.find_spec(name) for name in ("torch", "monai")):
        peer = os.environ.pop("PEER_PYTHON", None)
        if peer:
            return subprocess.run([peer, __file__]).returncode
        print("gliozoo: perf-volume needs torch and monai: set PEER_PYTHON to a python with them.")
        return 2
    setting = {
        "shape": [*SHAPE, CHANNELS],
        "window": WINDOW,
        "overlap": OVERLAP,
        "batch": BATCH,
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "torch", "monai")},
    }
    told = {"machine": pages.machine(), "setting": setting} | measure()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "volume.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
