"""A run on a machine of a cluster: its scratch folder, its checkpoints elsewhere, its result.

The result goes back whole, so that the process that drives the sweep alone writes records.
"""

import contextlib
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import launch, places, protocol, record, unfinished
from benchmarks.errors import USER_ERRORS
from benchmarks.job import Job
from benchmarks.slot import LOCK, Slot
from benchmarks.sweep.local import LOG
from benchmarks.sweep.storage import GENERATIONS, Storage

PUSH = 2.0  # seconds between two looks for new checkpoints
_LOOK, _GRACE = 0.05, 20.0
_OURS = (LOCK, unfinished.FILE)


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
    with tempfile.TemporaryDirectory(prefix="gliozoo-") as scratch:
        job = replace(order.job, results=scratch)
        slot = Slot(job, protocol.find(job.protocol, job.model))
        try:
            storage = Storage(order.storage)
            if not job.force:
                storage.pull(slot.folder)
            slot.folder.mkdir(parents=True, exist_ok=True)
            code = _run(slot, storage, order.environment)
        except USER_ERRORS as error:
            return Result(launch.USER, None, {LOG: str(error).encode()})
        outcome = launch.ended(slot, code)
        text = record.to_json(outcome.record) if outcome.record else None
        return Result(outcome.code, text, _files(places.run_folder(slot.path)))


def _run(slot: Slot, storage: Storage, environment: dict[str, str]) -> int:
    with (slot.folder / LOG).open("wb") as log:
        process = launch.start(slot.job, log, environment, process_group=0)
    try:
        pushed = time.monotonic()
        while process.poll() is None:
            time.sleep(_LOOK)
            if time.monotonic() - pushed >= PUSH:
                storage.push(slot.folder)
                pushed = time.monotonic()
        return process.returncode
    finally:
        if process.poll() is None:  # cancelled: what it has reached is kept
            _end(process)
            storage.push(slot.folder)


def _end(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    if process.poll() is None:
        process.kill()
        process.wait()


def _files(folder: Path) -> dict[str, bytes]:
    """Read what a run leaves to people, which its checkpoints and notes to itself are not."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _OURS and not path.match(GENERATIONS)
    }
