"""Tasks one after the other until the minutes are over; the next piece goes on from there."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.gpu.tasks import Task
from benchmarks.records import atomic

LEAST = 20.0  # seconds: with less left, nothing is begun
GRACE = 15.0  # seconds that an interrupted task may take to end


def run(every: Iterable[Task], work: Path, machine: str, seconds: float, site: Path | None) -> int:
    """Run tasks in `work`, whose `results` folder they share; return how many failed."""
    deadline, failed = time.monotonic() + seconds, 0
    for task in every:
        left = deadline - time.monotonic()
        if left < LEAST:
            print("The time of this piece is over; the same command goes on.", flush=True)
            break
        began = time.monotonic()
        state = _one(task, work, machine, left, site)
        print(f"{state}: {task.name}, {time.monotonic() - began:.0f} s", flush=True)
        failed += state == "failed"
    return failed


def _one(task: Task, work: Path, machine: str, seconds: float, site: Path | None) -> str:
    log = work / "log.txt"
    work.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        errors.write(f"\n== {task.name}\n".encode())
        errors.flush()
        process = subprocess.Popen(
            task.command,
            cwd=work,
            env=_environment(machine, site),
            stdout=subprocess.PIPE if task.prints else errors,
            stderr=errors,
        )
        try:
            printed, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return "cut short"
    if process.returncode:
        return "failed"
    if task.prints:
        atomic.write(work / "results" / machine / task.file, printed)
    return "done"


def _end(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _environment(machine: str, site: Path | None) -> dict[str, str]:
    """Let tasks find the wheels that were carried along."""
    paths = [*([str(site)] if site else []), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "GLIOZOO_MACHINE": machine,
        "GLIOZOO_CACHE": "cache",
        # Keras on JAX compiles hundreds of small programs as it builds: once for all tasks.
        "JAX_COMPILATION_CACHE_DIR": "cache/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
