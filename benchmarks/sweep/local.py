"""The runs of a sweep on this machine, N at once, each on its own processors and GPUs."""

import os
import subprocess
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from benchmarks import environment, launch, share
from benchmarks.errors import UserError
from benchmarks.launch import Outcome
from benchmarks.slot import Slot
from benchmarks.sweep import processes


@dataclass(frozen=True)
class Place:
    """What one of the runs at once has for itself: threads, processors, and what names its GPUs."""

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
            processes.interrupt([one.process for one in running])


def places(jobs: int, threads: int | None = None, devices: int = 1) -> list[Place]:
    """Divide the machine: one run has all of it, several have equal and separate parts."""
    if jobs < 1 or (threads is not None and threads < 1):
        raise UserError(f"Expected --jobs and --threads of 1 or more. Received: {jobs}, {threads}.")
    mine = processors()
    gpus = visible_gpus()
    each = threads or (None if jobs == 1 else max(1, len(mine) // jobs))
    return [
        Place(
            each,
            (
                *_own_processors(mine, number, each, jobs),
                *_own_gpus(gpus, number, jobs, devices),
            ),
        )
        for number in range(jobs)
    ]


def processors() -> list[int]:
    """List the processors that this process may use; their number alone where that is unknown."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(environment.cores()))


def _own_processors(
    mine: Sequence[int], number: int, each: int | None, jobs: int
) -> tuple[tuple[str, str], ...]:
    if each is None or each * jobs > len(mine):
        return ()  # there are not enough to give each its own: the system shares them out
    own = mine[number * each : (number + 1) * each]
    return tuple(share.processors(own).items())


def _own_gpus(
    gpus: Sequence[str], number: int, jobs: int, devices: int
) -> tuple[tuple[str, str], ...]:
    if not gpus or jobs == 1:
        return ()
    first = number * devices
    own = [gpus[place % len(gpus)] for place in range(first, first + min(devices, len(gpus)))]
    part = min(1.0, len(gpus) / (jobs * devices))
    return (("CUDA_VISIBLE_DEVICES", ",".join(own)), *share.gpu(part).items())


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
