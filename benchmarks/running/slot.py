"""`Slot`: the one place that a run has under `results/`, which one process at a time may claim."""

import errno
import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import zoo
from benchmarks.backends import device
from benchmarks.errors import UserError
from benchmarks.machine import environment
from benchmarks.predicting import trained_network
from benchmarks.protocols.protocol import Protocol
from benchmarks.records import record, result_paths
from benchmarks.records.record import Record
from benchmarks.running.job import Job
from data_pipeline.files import locks
from data_pipeline.identity import Identity
from zoo import weights
from zoo.registry import name_of, origin_of

LOCK = ".lock"
HOLDER = ".holder"


@dataclass(frozen=True)
class Slot:
    """Where the record and the folder of a run lie; `settle.slot` makes one of a job."""

    job: Job
    protocol: Protocol
    data: Identity

    @cached_property
    def run(self) -> dict[str, Any]:
        """Return what a record says of its run."""
        return terms(self.job, self.protocol)

    @cached_property
    def stem(self) -> str:
        """Return the run's name."""
        return result_paths.stem(self.run, self.protocol.digest, self.data.as_json())

    @cached_property
    def former_stem(self) -> str:
        """Return the name that it had before data were a part of it."""
        return result_paths.stem(self.run, self.protocol.digest, {})

    @cached_property
    def path(self) -> Path:
        """Return the record's path."""
        return self.path_on(environment.machine())

    def path_on(self, machine: str) -> Path:
        """Say where the record lies of a run on some machine; an earlier one keeps its old name."""
        path = result_paths.record_path(self.job.results, machine, self.stem)
        if path.exists():
            return path
        former = path.with_name(f"{self.former_stem}.json")
        return former if former.exists() and self.own(former) else path

    def own(self, path: Path) -> Record | None:
        """Read the record of a run on these very data; None where there is none."""
        try:
            found = record.read(path)
        except UserError:
            return None  # absent or damaged: it is made again
        data = {"value_range": zoo.card(self.job.model).value_range, **self.data.as_json()}
        told = {"value_range": "normalised", **found.data}  # what all were given before cards asked
        return found if data == {name: told.get(name) for name in data} else None

    @cached_property
    def folder(self) -> Path:
        """Return the run's folder."""
        return result_paths.run_folder(self.path)

    def finished(self) -> Record | None:
        """Return the record of a run that is done and need not be repeated."""
        found = None if self.job.force else self.own(self.path)
        return found if found and found.status == "ok" else None

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the slot against other processes; the lock ends with the process."""
        with ExitStack() as stack:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locks.held(self.folder / LOCK, locks.AT_ONCE))
                holder = f"process {os.getpid()} on {platform.node()}"
                (self.folder / HOLDER).write_text(holder, encoding="utf-8")
            except locks.TakenError as error:
                raise _taken(self.folder) from error
            except OSError as error:
                raise UserError(
                    f"Cannot write to the results folder {self.folder}: "
                    f"{error.strerror or error}; choose another one with --results."
                ) from error
            yield


def terms(job: Job, protocol: Protocol) -> dict[str, Any]:
    """Return what a record says of a run, which its data are no part of."""
    origin = origin_of(job.model)
    start = started_from(job)
    told = {
        "model": name_of(job.model),
        **({"started_from": start} if start else {}),
        **({"origin": origin.as_json()} if origin else {}),
        "variant": job.variant,
        "protocol": protocol.name,
        "seed": job.seed,
        "fold": job.fold,
        "backend": device.choose_backend(job.backend),
        "precision": job.precision,
    }
    return told | {"recalibrated": True} if job.recalibrate else told


def started_from(job: Job) -> dict[str, str] | None:
    """Return which weights a run goes on from, None where it begins anew."""
    if job.from_weights is None:
        return None
    path = trained_network.find(Path(job.from_weights))
    return {"weights_sha256": weights.header(path).sha256}


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


def _taken(folder: Path) -> UserError:
    try:
        with (folder / HOLDER).open(encoding="utf-8", errors="replace") as file:
            holder = file.read(200).strip()
    except OSError:
        holder = ""
    return UserError(
        f"{folder.name} is being run by {holder or 'another process'}: wait for it to end, or "
        "choose another seed or another --results."
    )
