"""Each run in a process of its own: what kills one leaves the others, and a record that says why.

`main` is that process. The parent imports no Keras.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.errors import USER_ERRORS
from benchmarks.machine import child_process, environment, resources
from benchmarks.records import record
from benchmarks.records.record import Record
from benchmarks.running import unfinished
from benchmarks.running.job import Job
from benchmarks.running.slot import Slot
from benchmarks.terminal import streams

GRACE = 5.0  # seconds that an interrupted run may take to end; its checkpoints are on the disk
FINE, FAILED, USER, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its exit code and, unless the user was to blame, its record."""

    job: Job
    code: int
    path: Path
    record: Record | None
    repeated: bool = True


def launch(slot: Slot) -> Outcome:
    """Run a job in a new process and wait for it; a finished one is not repeated."""
    finished = slot.finished()
    if finished:
        return Outcome(slot.job, FINE, slot.path, finished, repeated=False)
    process = start(slot.job, sys.stderr)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        interrupt([process])
        raise
    return ended(slot, code)


def start(job: Job, output: IO, extra: dict[str, str] | None = None) -> subprocess.Popen:
    """Start a job's own process, which ends with this one; `extra` goes into its environment.

    It has a group of its own: Ctrl-C reaches this process alone, which interrupts each run once.
    """
    stream = _of_a_process(output)
    return subprocess.Popen(
        command(job),
        env=os.environ | resources.threads(job.threads) | child_process.adopt() | (extra or {}),
        stdin=subprocess.DEVNULL,
        stdout=stream,
        stderr=stream,
        process_group=0,
    )


def _of_a_process(output: IO) -> IO | None:
    """Return a stream that a process can write to; None, its parent's, for some notebooks'."""
    try:
        output.fileno()
    except (AttributeError, OSError):  # UnsupportedOperation is one
        return None
    return output


def interrupt(processes: Sequence[subprocess.Popen]) -> None:
    """Let runs end by themselves; kill those that don't, or all if interrupted a second time."""
    for process in processes:
        process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + GRACE
    try:
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def ended(slot: Slot, code: int) -> Outcome:
    """Say how the process of a slot ended; the death of one that was killed is recorded here."""
    if code < 0:
        name = signal.Signals(-code).name
        out_of_memory = "; most likely the machine ran out of memory" if name == "SIGKILL" else ""
        return bury(slot, name, f"The process was killed by {name}{out_of_memory}")
    found = record.read(slot.path) if code in (FINE, FAILED) and slot.path.exists() else None
    return Outcome(slot.job, FAILED if code == FINE and not found else code, slot.path, found)


def command(job: Job) -> list[str]:
    """Return the command line of a job's own process."""
    return child_process.command("benchmarks.running.launch", json.dumps(job.as_json()))


def bury(slot: Slot, kind: str, how: str) -> Outcome:
    """Write the record of a run whose process is gone."""
    reason = f"{how}: the same command goes on from the last checkpoint."
    dead = unfinished.killed(slot, {"machine": environment.machine()}, kind, reason)
    return Outcome(slot.job, FAILED, record.write_to(slot.path, dead), dead)


def main(request: str) -> int:
    """Be the process of one job."""
    streams.settle()
    child_process.follow_parent()
    try:
        from benchmarks.running.run import run

        path = run(Job(**json.loads(request)))
    except USER_ERRORS as error:
        streams.say(f"gliozoo: {error}")
        return USER
    except KeyboardInterrupt:
        return INTERRUPTED
    return FINE if record.read(path).status == "ok" else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
