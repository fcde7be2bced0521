"""A run as a job of Slurm: queued again when its time is up."""

import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.running import launch, settle
from benchmarks.running.job import Job
from benchmarks.sweep.engines import processes

# Slurm tells every process of a job that it has to go: that is no failure of the run.
_SENT_AWAY = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_NEWS = 10.0  # seconds within which this process hears of it too, and asks for more time


@dataclass(frozen=True)
class Report:
    """What a job tells of its run: the exit code, and where the record lies."""

    code: int
    path: str


class Node:
    """What submitit calls on a node; `checkpoint` is its way to be queued again."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None

    def __call__(self, job: Job) -> Report:
        """Run a job in a process of its own."""
        slot = settle.slot(job)
        self._process = processes.start(job, slot.folder)
        code = processes.wait(self._process)
        if -code in _SENT_AWAY:
            time.sleep(_NEWS)
            return Report(launch.INTERRUPTED, str(slot.path))
        outcome = launch.ended(slot, code)
        return Report(outcome.code, str(outcome.path))

    def checkpoint(self, job: Job) -> Any:
        """End the run's process, whose newest checkpoint is on the disk, and ask for more time."""
        from submitit.helpers import DelayedSubmission

        if self._process is not None:
            launch.interrupt([self._process])
        return DelayedSubmission(Node(), job)
