"""`make perf-sweep`: what a sweep costs beyond its runs, and what a second worker is worth.

Three questions: how long it takes to recognise ten thousand finished runs; what a run costs beyond
its own process; how much faster two workers finish real runs than one, each with one thread. Sweeps
take turns, and the median of the ratios counts; it means something on an idle machine only.
"""

import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pages

from benchmarks.__main__ import main as gliozoo
from benchmarks.machine import environment
from benchmarks.records import record
from benchmarks.running import launch, settle, unfinished
from benchmarks.running.job import Job
from benchmarks.scoring import metrics
from benchmarks.sweep import plan

FINISHED = 10_000
EMPTY = 40  # runs that do nothing
ROUNDS = 3
MODELS, SEEDS = "sa_unet,unet", "0-1"
OUT = Path("docs/perf/sweep.json")
WRITE = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"


def main() -> int:
    """Measure, print and write."""
    os.environ.setdefault("GLIOZOO_CACHE", str(Path("cache").resolve()))
    told: dict[str, Any] = {"machine": pages.machine()}
    with tempfile.TemporaryDirectory() as folder:
        told["recognise_10000_s"] = round(recognise(Path(folder)), 2)
    with tempfile.TemporaryDirectory() as folder:
        told["overhead_per_run_s"] = round(overhead(Path(folder)), 3)
    rounds = [(_real(1), _real(2)) for _ in range(ROUNDS)]
    told["rounds_s"] = [[round(one, 1), round(two, 1)] for one, two in rounds]
    told["speedup_of_two_workers"] = round(statistics.median(a / b for a, b in rounds), 3)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    print(json.dumps(told, indent=1))
    return 0


def recognise(folder: Path) -> float:
    """Return the seconds in which a sweep sees that all of its runs are done."""
    pattern = Job("", "quick", results=str(folder))
    asked = ("all", f"0-{FINISHED // 45 + 1}", "0-4")
    waiting = plan.make(pattern, *asked).waiting
    waiting[0].path.parent.mkdir(parents=True)
    content = _record(waiting[0])
    for slot in waiting:
        slot.path.write_text(content)
    began = time.perf_counter()
    made = plan.make(pattern, *asked)
    seconds = time.perf_counter() - began
    assert not made.waiting
    assert len(made.done) >= FINISHED
    return seconds * FINISHED / len(made.done)


def _record(slot: Any) -> str:
    """Return a record about as long as a real one: sixty epochs, twenty patients."""
    mask = np.zeros((4, 32, 32), bool)
    mask[1:3, 8:16, 8:16] = True
    row = {"patient": "p", "regions": {"lgg": metrics.measure(mask, mask, (1, 1, 1))}}
    costs = ("params", "gflops", "infer_samples_per_sec", "train_samples_per_sec")
    done = replace(
        unfinished.of(slot, {"machine": environment.machine()}),
        history=[{"epoch": epoch, "loss": 0.5} for epoch in range(60)],
        patients=[row] * 20,
        training={"seconds": 1.0},
        cost=dict.fromkeys(costs, 1.0),
    )
    return record.to_json(done)


def overhead(folder: Path) -> float:
    """Return what a run takes within a sweep beyond what its process takes outside of one."""

    def command(job: Job) -> list[str]:
        slot = settle.slot(job)
        return [sys.executable, "-c", WRITE, str(slot.path), _record(slot)]

    with mock.patch.object(launch, "command", command):
        swept = _sweep(folder, "--models", "unet", "--seeds", f"0-{EMPTY - 1}") / EMPTY
    slot = settle.slot(Job("unet", "smoke", results=str(folder)))
    own = []
    for _ in range(EMPTY // 4):
        began = time.perf_counter()
        subprocess.run(command(slot.job), check=True)
        own.append(time.perf_counter() - began)
    return swept - statistics.median(own)


def _real(jobs: int) -> float:
    asked = ("--models", MODELS, "--seeds", SEEDS, "--jobs", str(jobs), "--threads", "1")
    with tempfile.TemporaryDirectory() as folder:
        return _sweep(Path(folder), *asked)


def _sweep(folder: Path, *words: str) -> float:
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = gliozoo(["sweep", "--protocol", "smoke", "--results", str(folder), *words])
    assert code == 0
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
