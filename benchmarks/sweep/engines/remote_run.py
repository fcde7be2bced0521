"""A run on a machine of a cluster: its scratch folder, its checkpoints elsewhere, its result.

The result goes back whole, so that the process that drives the sweep alone writes records.
"""

import os
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.errors import USER_ERRORS
from benchmarks.records import record, result_paths
from benchmarks.running import launch, settle, unfinished
from benchmarks.running.job import Job
from benchmarks.running.slot import HOLDER, LOCK, Slot
from benchmarks.sweep.engines import processes
from benchmarks.sweep.engines.processes import LOG
from benchmarks.sweep.engines.storage import GENERATIONS, Storage

PUSH = 2.0  # seconds between two looks for new checkpoints
_OURS = (HOLDER, LOCK, unfinished.FILE)


@dataclass(frozen=True)
class Order:
    """A job, the place that its attempts have in common, and what its environment must say."""

    job: Job
    storage: str
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a run ended elsewhere: its code, its record as text, the files of its folder."""

    code: int
    record: str | None
    files: dict[str, bytes]


def attempt(order: Order) -> Result:
    """Bring a run to its end, from wherever an earlier attempt has left it."""
    os.environ.update(order.environment)  # also for this process, which reads the machine's name
    with tempfile.TemporaryDirectory(prefix="gliozoo-") as scratch:
        job = replace(order.job, results=scratch)
        try:
            slot = settle.slot(job)
            storage = Storage(order.storage)
            if not job.force:
                storage.pull(slot.folder)
            code = _run(slot, storage)
        except USER_ERRORS as error:
            return Result(launch.USER, None, {LOG: str(error).encode()})
        outcome = launch.ended(slot, code)
        text = record.to_json(outcome.record) if outcome.record else None
        return Result(outcome.code, text, _files(result_paths.run_folder(slot.path)))


def _run(slot: Slot, storage: Storage) -> int:
    process = processes.start(slot.job, slot.folder)
    pushed = time.monotonic()

    def push_now_and_then() -> None:
        nonlocal pushed
        if time.monotonic() - pushed >= PUSH:
            _push(storage, slot.folder)
            pushed = time.monotonic()

    try:
        return processes.wait(process, push_now_and_then)
    finally:
        launch.interrupt([process])  # where it still runs, it was cancelled
        if process.returncode != launch.FINE:
            _push(storage, slot.folder)


def _push(storage: Storage, folder: Path) -> None:
    """Keep what a run has reached; a storage that is out of reach costs no run."""
    try:
        storage.push(folder)
    except OSError as error:
        print(f"{folder.name} is not in the storage: {error}", file=sys.stderr)


def _files(folder: Path) -> dict[str, bytes]:
    """Read what a run leaves to people, which its checkpoints and notes to itself are not."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _OURS and not path.match(GENERATIONS)
    }
