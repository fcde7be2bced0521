"""The runs of a sweep on this machine, N at once, each with its share of the threads and GPUs.

No run is tied to processors: where others work on the machine too, the system moves threads to
whichever is free, and tied ones wait.
"""

import os
import subprocess
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from benchmarks.errors import UserError
from benchmarks.machine import environment, resources
from benchmarks.running import launch
from benchmarks.running.launch import Outcome
from benchmarks.running.slot import Slot
from benchmarks.sweep.engines import processes


@dataclass(frozen=True)
class Place:
    """What one of the runs at once has for itself: threads, and what names its GPUs."""

    threads: int | None = None
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Running:
    """A slot and its process."""

    slot: Slot
    place: Place
    process: subprocess.Popen


class Local:
    """Runs slots as processes of this one."""

    def __init__(self, jobs: int = 1, threads: int | None = None, devices: int = 1):
        self.parallel: int | None = jobs
        self.places = places(jobs, threads, devices)

    def run(self, slots: Sequence[Slot]) -> Generator[Outcome, None, None]:
        """Keep every place busy; what is running when the generator is closed is interrupted."""
        waiting, free = iter(slots), list(self.places)
        running: list[Running] = []
        try:
            while True:
                while free and (slot := next(waiting, None)):
                    running.append(_start(slot, free.pop(0)))
                if not running:
                    return
                ended = _first_ended(running)
                running.remove(ended)
                free.append(ended.place)
                yield launch.ended(ended.slot, ended.process.returncode)
        finally:
            launch.interrupt([one.process for one in running])


def places(jobs: int, threads: int | None = None, devices: int = 1) -> list[Place]:
    """Divide the machine: one run has all of it, several have equal parts."""
    if jobs < 1 or (threads is not None and threads < 1):
        raise UserError(f"Expected --jobs and --threads of 1 or more. Received: {jobs}, {threads}.")
    gpus = visible_gpus()
    each = threads or (None if jobs == 1 else max(1, environment.cores() // jobs))
    return [Place(each, _own_gpus(gpus, number, jobs, devices)) for number in range(jobs)]


def _own_gpus(
    gpus: Sequence[str], number: int, jobs: int, devices: int
) -> tuple[tuple[str, str], ...]:
    if not gpus or jobs == 1:
        return ()
    first = number * devices
    own = [gpus[place % len(gpus)] for place in range(first, first + min(devices, len(gpus)))]
    part = min(1.0, len(gpus) / (jobs * devices))
    return (("CUDA_VISIBLE_DEVICES", ",".join(own)), *resources.gpu(part).items())


def visible_gpus() -> list[str]:
    """List the GPUs as CUDA_VISIBLE_DEVICES names them, without starting a backend."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [part.strip() for part in named.split(",") if part.strip() not in ("", "-1")]
    return [str(number) for number in range(environment.gpu_count())]


def _start(slot: Slot, place: Place) -> Running:
    job = replace(slot.job, threads=slot.job.threads or place.threads, quiet=True)
    process = processes.start(job, slot.folder, dict(place.environment))
    return Running(slot, place, process)


def _first_ended(running: Sequence[Running]) -> Running:
    while True:
        for one in running:
            if one.process.poll() is not None:
                return one
        time.sleep(processes.LOOK)
