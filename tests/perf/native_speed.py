"""`make perf`: five networks against themselves in native PyTorch, a step and a prediction.

The peers are the forms of tests/zoo/sources, which tests hold to our networks' every answer and
gradient. One run, by turns, each measurement in a process of its own. What counts is the median of
the ratios to the faster of PyTorch's two layouts in the same round; torch.compile, which takes a
minute to begin, stands beside them where COMPILE=1 asks for it, in the first round alone.

torch is no dependency: where this interpreter lacks it, name one that has it, `make perf
PEER_PYTHON=/path/to/python`. MODELS="a b" chooses networks, ROUNDS (3) and SECONDS (6) how long.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pages

from benchmarks.backends import device


@dataclass(frozen=True)
class Setting:
    """How large a network is, and what it is fed with."""

    shape: tuple[int, ...]
    width: float
    batch: int

    def __str__(self) -> str:
        sides = "x".join(map(str, self.shape[:-1]))
        return f"{sides}, width {self.width:g}, batch {self.batch}"


NETWORKS = {
    "ar2_unet": Setting((128, 128, 3), 0.5, 4),
    "unet": Setting((128, 128, 3), 0.5, 4),
    "sa_unet": Setting((128, 128, 3), 1.0, 4),
    "deeplabv3plus": Setting((128, 128, 3), 1.0, 4),
    "unet3d": Setting((64, 64, 64, 4), 0.25, 1),
}
SECONDS = float(os.environ.get("SECONDS", "6"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
WHATS = ("train", "predict")
LAYOUTS, COMPILED = ("first", "last"), "compiled"
PEER = Path(__file__).with_name("torch_steps.py")
JSON, PAGE = Path("docs/perf/native.json"), Path("docs/speed.md")
COMMAND = "make perf"
Times = dict[str, dict[str, float]]


def main() -> int:
    """Measure by turns, print and write; or one of the measurements, for a process of its own."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(*sys.argv[2:4])))
        return 0
    names = chosen(NETWORKS)
    if "PEER_PYTHON" not in os.environ and not device.installed("torch"):
        sys.exit("gliozoo: perf needs torch: set PEER_PYTHON to a python that has it.")
    told = json.loads(JSON.read_text(encoding="utf-8")) if JSON.exists() else {}
    machine = pages.machine()
    for name in names:
        told[name] = {"machine": machine} | measured(name)
        JSON.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    pages.put(PAGE, COMMAND, table(told))
    return 0


def chosen(default: Iterable[str]) -> list[str]:
    """Return the networks that the command line names, or the default ones."""
    if unknown := {*sys.argv[1:]} - {*NETWORKS}:
        sys.exit(f"Expected of {', '.join(NETWORKS)}. Received: {', '.join(sorted(unknown))}.")
    return sys.argv[1:] or list(default)


def measured(name: str) -> dict[str, Any]:
    """Measure one network on every side, by turns."""
    sides = [*LAYOUTS, *filter(device.installed, device.BACKENDS)]
    compiled = [COMPILED] if os.environ.get("COMPILE") else []
    rounds: list[dict[str, Times]] = []
    for turn in range(ROUNDS):
        rounds.append({})
        for side in sides + ([] if turn else compiled):
            rounds[-1][side] = _measured(name, side)
            print(name, side, rounds[-1][side], file=sys.stderr, flush=True)
    return {"setting": asdict(NETWORKS[name]), "rounds": rounds}


def one(name: str, backend: str) -> Times:
    """Time both on one backend as `gliozoo profile` does, and the wait for the first."""
    from benchmarks.cost import timing
    from benchmarks.cost.profiled_model import Subject

    device.select_backend(backend)
    own = NETWORKS[name]
    settings = {"keep": 1.0} if name == "sa_unet" else {}  # the source's form has no DropBlock
    model = Subject(name, None, own.shape, 1, own.width, settings=settings).build()
    jit = device.resolve_jit(None)
    told = {}
    for what, make in (("train", timing.training_step), ("predict", timing.inference_step)):
        began = time.perf_counter()
        step = make(model, own.batch, jit)
        device.synchronise(step())
        first = time.perf_counter() - began
        told[what] = {"s": timing.measure(step, SECONDS).p50, "first_s": first}
    return told


def _measured(name: str, side: str) -> Times:
    if side in (*LAYOUTS, COMPILED):
        own = NETWORKS[name]
        shape = ",".join(map(str, own.shape))
        sizes = map(str, (shape, own.width, own.batch, SECONDS))
        command = [os.environ.get("PEER_PYTHON", sys.executable), str(PEER), name, side, *sizes]
    else:
        command = [sys.executable, __file__, "--one", name, side]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name}, {side}, failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def ratio(rounds: list[dict[str, Times]], side: str, what: str, peer: str | None = None) -> float:
    """Return how long a side takes: times a peer, or the faster of PyTorch's layouts."""
    return statistics.median(
        turn[side][what]["s"] / min(turn[name][what]["s"] for name in ([peer] if peer else LAYOUTS))
        for turn in rounds
        if side in turn and (peer is None or peer in turn)
    )


def table(told: dict[str, Any]) -> str:
    """Return the table in Markdown: a row for each network and backend."""
    lines = [
        "| network | at | on | step, ms | PyTorch: first | last | compiled "
        "| **step, times the faster** | prediction, ms | PyTorch: first | last | compiled "
        "| **prediction, times the faster** |",
        "|---|---|---|" + "--:|" * 10,
    ]
    for name, entry in told.items():
        rounds, setting = entry["rounds"], Setting(**entry["setting"])
        for side in device.BACKENDS:
            if side in rounds[0]:
                cells = [cell for what in WHATS for cell in _cells(rounds, side, what)]
                lines.append(f"| `{name}` | {setting} | {side} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _cells(rounds: list[dict[str, Times]], side: str, what: str) -> list[str]:
    medians = []
    for each in (side, *LAYOUTS, COMPILED):
        seconds = [turn[each][what]["s"] for turn in rounds if each in turn]
        medians.append(f"{1e3 * statistics.median(seconds):.0f}" if seconds else "")
    return [*medians, f"**{ratio(rounds, side, what):.2f}**"]


if __name__ == "__main__":
    sys.exit(main())
