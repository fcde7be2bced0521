"""`make perf`: AR2-UNet on every backend of Keras against the same network in native PyTorch.

One run, by turns, each measurement in a process of its own; what counts is the median of the ratios
to the native one of the same round. torch is no dependency: where this interpreter lacks it, name
one that has it, `make perf PEER_PYTHON=/path/to/python`, or install both backends into this one.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.backends import device
from benchmarks.machine import environment

WIDTH, SIDE, BATCH = 0.5, 128, 4
SECONDS = 12.0
ROUNDS = int(os.environ.get("ROUNDS", "3"))
WHATS = ("train", "predict")
PEER = Path(__file__).parent / "ar2_unet_torch.py"
OUT = Path("docs/perf")


def main() -> int:
    """Measure by turns, print and write; or one of the measurements, for a process of its own."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(*sys.argv[2:4])))
        return 0
    sides = ["native", *filter(device.installed, device.BACKENDS)]
    rounds: dict[str, list[dict[str, Any]]] = {
        f"{side} {what}": [] for side in sides for what in WHATS
    }
    for _ in range(ROUNDS):
        for what in WHATS:
            for side in sides:
                rounds[f"{side} {what}"].append(_measured(side, what))
                print(side, what, rounds[f"{side} {what}"][-1], file=sys.stderr, flush=True)
    told = {"cpu": environment.cpu(), "cores": environment.cores(), "rounds": rounds}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "native.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    (OUT / "native.md").write_text(_markdown(sides, rounds))
    print((OUT / "native.md").read_text())
    return 0


def one(backend: str, what: str) -> dict[str, float]:
    """Time the steps of one backend as `gliozoo profile` does, and the wait for the first."""
    from benchmarks.cost import timing
    from benchmarks.cost.profiled_model import Subject

    device.select_backend(backend)
    model = Subject("ar2_unet", None, (SIDE, SIDE, 3), 1, WIDTH).build()
    jit = device.resolve_jit(None)
    make = timing.training_step if what == "train" else timing.inference_step
    began = time.perf_counter()
    step = make(model, BATCH, jit)
    device.synchronise(step())
    first = time.perf_counter() - began
    return {"s": timing.measure(step, SECONDS, least=4).p50, "first_s": first}


def _measured(side: str, what: str) -> dict[str, Any]:
    if side == "native":
        python = os.environ.get("PEER_PYTHON", sys.executable)
        sizes = map(str, (WIDTH, SIDE, BATCH, SECONDS))
        command = [python, str(PEER), what, *sizes]
    else:
        command = [sys.executable, __file__, "--one", side, what]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _markdown(sides: list[str], rounds: dict[str, list[dict[str, Any]]]) -> str:
    lines = [
        f"AR2-UNet, width {WIDTH:g}, {SIDE}x{SIDE}x3, batch {BATCH}, {environment.cores()} cores, "
        f"{ROUNDS} rounds by turns: medians, and the median of the ratios to native PyTorch.",
        "",
        "| | step s | x native | first step s | predict s | x native | first predict s |",
        "|---|---|---|---|---|---|---|",
    ]
    for side in sides:
        cells = []
        for what in WHATS:
            own, native = rounds[f"{side} {what}"], rounds[f"native {what}"]
            ratios = [a["s"] / b["s"] for a, b in zip(own, native, strict=True)]
            cells += [
                f"{statistics.median(row['s'] for row in own):.2f}",
                f"{statistics.median(ratios):.2f}",
                f"{statistics.median(row['first_s'] for row in own):.1f}",
            ]
        name = "native PyTorch, eager" if side == "native" else f"Keras on {side}"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
