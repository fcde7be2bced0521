"""`Slot`: the one place that a run has under `results/`, which one process at a time may claim."""

import errno
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks import device, environment, places, record
from benchmarks.errors import UserError
from benchmarks.job import Job
from benchmarks.protocol import Protocol
from benchmarks.record import Record

LOCK = ".lock"


@dataclass(frozen=True)
class Slot:
    """Where the record and the folder of a run lie."""

    job: Job
    protocol: Protocol

    @cached_property
    def run(self) -> dict[str, Any]:
        """Return what a record says of its run."""
        return {
            "model": self.job.model,
            "variant": self.job.variant,
            "protocol": self.protocol.name,
            "seed": self.job.seed,
            "fold": self.job.fold,
            "backend": device.choose_backend(self.job.backend),
            "precision": self.job.precision,
        }

    @cached_property
    def path(self) -> Path:
        """Return the record's path."""
        return places.record_path(
            self.job.results, environment.machine(), self.run, self.protocol.digest
        )

    @cached_property
    def folder(self) -> Path:
        """Return the run's folder."""
        return places.run_folder(self.path)

    def finished(self) -> Record | None:
        """Return the record of a run that is done and need not be repeated."""
        if self.job.force or not self.path.exists():
            return None
        try:
            found = record.read(self.path)
        except UserError:
            return None  # damaged: it is made again
        return found if found.status == "ok" else None

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the slot against other processes; the lock ends with the process."""
        import fcntl

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise UserError(
                f"Cannot write to the results folder {self.folder}: {error.strerror or error}; "
                "choose another one with --results."
            ) from error
        try:
            _lock(handle, self.folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(handle)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a disk that takes no more into one sentence: no run is to blame for it."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        raise UserError(
            f"Cannot write to {folder}: {error.strerror}; free space there, and the same command "
            "goes on from the last checkpoint, or choose another folder with --results."
        ) from error


def _lock(handle: int, folder: Path, how: int) -> None:
    import fcntl

    try:
        fcntl.flock(handle, how)
    except OSError as error:
        holder = os.pread(handle, 200, 0).decode(errors="replace").strip() or "another process"
        raise UserError(
            f"{folder.name} is being run by {holder}: wait for it to end, or choose another seed "
            "or another --results."
        ) from error
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"process {os.getpid()} on {platform.node()}".encode(), 0)
