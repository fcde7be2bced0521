"""The runs of a sweep as array jobs of Slurm, submitted by submitit.

The results folder has to be on a file system that the nodes share: a run writes its checkpoints and
its record there. Shortly before its time is up, or when it is preempted, Slurm says so; the run is
then queued again and goes on from its checkpoint.
"""

import contextlib
import math
import shutil
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.machine import optional_packages
from benchmarks.records import record
from benchmarks.running import launch
from benchmarks.running.launch import Outcome
from benchmarks.running.slot import Slot
from benchmarks.sweep.engines.cluster_needs import Needs
from benchmarks.sweep.engines.slurm_node import Node, Report

FOLDER = ".slurm"  # in the results folder: what submitit writes
ARRAY = 500  # jobs of one array; Slurm's own limit is often 1,001
TIMEOUTS = 1000  # times that a run may be queued again
_LOOK = 1.0  # seconds between two looks at the jobs


@dataclass(frozen=True)
class Queue:
    """Where jobs are submitted, and for how long each may run at a time."""

    minutes: int = 240
    partition: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)  # of sbatch, as it spells them
    signal_delay_s: int = 90  # before the time is up
    cluster: str = "slurm"  # "local" runs the same path without Slurm


class OnSlurm:
    """Runs slots as jobs of Slurm."""

    def __init__(self, needs: Needs, queue: Queue, results: str, jobs: int | None = None):
        self.submitit = optional_packages.require("submitit", "--executor slurm", "slurm")
        if queue.cluster == "slurm" and shutil.which("sbatch") is None:
            raise UserError(
                "--executor slurm: there is no sbatch here; run the sweep where jobs are submitted."
            )
        if needs.gpus is not None and needs.gpus != int(needs.gpus):
            raise UserError(f"Slurm gives whole GPUs. Received: --gpus {needs.gpus}.")
        self.parallel = jobs
        self.executor = self._executor(needs, queue, Path(results) / FOLDER)

    def run(self, slots: Sequence[Slot]) -> Generator[Outcome, None, None]:
        """Submit everything; what has not ended when the generator is closed is cancelled."""
        pending = self._submit(slots)
        try:
            while pending:
                done = [job for job in pending if job.done()]
                for job in done:
                    yield _outcome(pending.pop(job), job)
                if not done:
                    time.sleep(_LOOK)
        finally:
            for job in pending:
                with contextlib.suppress(Exception):  # it may have ended in the meantime
                    job.cancel()

    def _executor(self, needs: Needs, queue: Queue, folder: Path) -> Any:
        timeouts = {f"{queue.cluster}_max_num_timeout": TIMEOUTS}
        executor = self.submitit.AutoExecutor(folder, cluster=queue.cluster, **timeouts)
        asked: dict[str, Any] = {
            "name": "gliozoo",
            "timeout_min": queue.minutes,
            "cpus_per_task": needs.cpus,
            "gpus_per_node": int(needs.gpus or 0),
            "slurm_signal_delay_s": queue.signal_delay_s,
        }
        optional = {
            "mem_gb": needs.memory_gb and math.ceil(needs.memory_gb),
            "slurm_partition": queue.partition,
            "slurm_array_parallelism": self.parallel,
            "slurm_additional_parameters": dict(queue.settings) or None,
        }
        executor.update_parameters(
            **asked, **{name: value for name, value in optional.items() if value is not None}
        )
        return executor

    def _submit(self, slots: Sequence[Slot]) -> dict[Any, Slot]:
        pending: dict[Any, Slot] = {}
        for first in range(0, len(slots), ARRAY):
            part = slots[first : first + ARRAY]
            with self.executor.batch():
                jobs = [self.executor.submit(Node(), replace(s.job, quiet=True)) for s in part]
            pending |= dict(zip(jobs, part, strict=True))
        return pending


def _outcome(slot: Slot, job: Any) -> Outcome:
    """Read what a job has left; one that died without a word becomes a failed record."""
    if job.exception() is not None:
        told = f"Its job {job.job_id} ended without a result, see {job.paths.stderr}"
        return launch.bury(slot, "slurm", told)
    report: Report = job.result()
    path = Path(report.path)  # in the results folder that the nodes share
    ended = report.code in (launch.FINE, launch.FAILED) and path.exists()
    return Outcome(slot.job, report.code, path, record.read(path) if ended else None)
