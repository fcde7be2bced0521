"""One run, one JSON file: written whole or not at all, read with suspicion.

`Record` names the sections; docs/record.md says what each holds. Numbers that are not finite become
null, keys are sorted, and a file appears under its name only when every byte is on the disk.
"""

import gc
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.records import atomic, door, result_paths, seal
from benchmarks.records.schema import SCHEMA, Section, checked


@dataclass(frozen=True)
class Record:
    """Everything that one run says about itself; a failed run fills what it knows and `error`."""

    run: Section
    protocol: Section
    protocol_digest: str
    data: Section
    environment: Section
    status: str = "ok"
    error: Section | None = None
    created: str = ""
    command: str = ""
    card: Section = field(default_factory=dict)
    history: list[Section] = field(default_factory=list)
    training: Section = field(default_factory=dict)
    patients: list[Section] = field(default_factory=list)
    quality: Section = field(default_factory=dict)
    calibration: Section = field(default_factory=dict)
    cost: Section = field(default_factory=dict)
    schema: int = SCHEMA
    seal: str = field(default="", compare=False)  # as it was read; writing makes it anew

    @property
    def name(self) -> str:
        """Return the model, its variant and what was done to it, as tables and plots print it.

        A model from outside the zoo is marked by its source, one that went on from weights by
        those: with others it is another row.
        """
        variant, origin = self.run.get("variant"), self.run.get("origin")
        name = f"{self.run['model']}@{origin['sha256'][:8]}" if origin else str(self.run["model"])
        name = f"{name}:{variant}" if variant else name
        start = self.run.get("started_from")
        name = f"{name} from {start['weights_sha256'][:8]}" if start else name
        return f"{name} recalibrated" if self.run.get("recalibrated") else name

    @property
    def machine(self) -> str:
        """Return the machine that the costs were measured on."""
        return str(self.environment.get("machine") or "unknown")


@dataclass(frozen=True)
class Archive:
    """What a results folder holds: the records by path, and the files that could not be read."""

    records: dict[Path, Record]
    damaged: dict[Path, str]


def path_of(record: Record, results: Path | str) -> Path:
    """Say where `write` puts a record."""
    stem = result_paths.stem(record.run, record.protocol_digest, record.data)
    return result_paths.record_path(results, record.machine, stem)


def write(record: Record, results: Path | str) -> Path:
    """Write a record under its own name and return the path."""
    return write_to(path_of(record, results), record)


def write_to(path: Path, record: Record) -> Path:
    """Write a record there; the old one stays until the end."""
    try:
        atomic.write(path, to_json(record).encode())
    except OSError as error:
        raise UserError(
            f"Cannot write the record {path}: {error.strerror or error}; free space there or "
            "choose another folder with --results."
        ) from error
    return path


def to_json(record: Record) -> str:
    """Print a record with its seal: a line a section, and one for each row of a list."""
    return seal.sealed(finite(asdict(record)))


def finite(value: Any) -> Any:
    """Return plain JSON values: tuples as lists, numpy scalars as numbers, NaN and inf as None."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without importing numpy
        return finite(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value


def read(path: Path | str) -> Record:
    """Read one record of this or an older schema."""
    try:
        return from_dict(door.parsed(door.content(path)))
    except UserError as error:
        raise UserError(f"{path} is not a record: {error}") from error


def paths(results: Path | str) -> list[Path]:
    """List the record files under a results folder, or in the folder of one machine."""
    results = Path(results)
    if not results.is_dir():
        raise UserError(f"There is no results folder {results}: run `gliozoo bench MODEL` first.")
    files, folders = _entries(results)
    for folder in folders:
        files += _entries(folder)[0]
    return sorted(path for path in files if path.suffix == ".json" and path.name[0] != ".")


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """List files and folders; a folder that may not be listed is not taken for an empty one."""
    try:
        with os.scandir(folder) as found:
            entries = [(Path(entry.path), entry.is_dir()) for entry in found]
    except OSError as error:
        raise UserError(
            f"Cannot list the results folder {folder}: {error.strerror or error}; allow it to be "
            "read, or move it elsewhere."
        ) from error
    kinds = ([path for path, is_dir in entries if is_dir is wanted] for wanted in (False, True))
    return next(kinds), next(kinds)


def read_all(results: Path | str) -> Archive:
    """Read every record of a results folder."""
    records: dict[Path, Record] = {}
    damaged: dict[Path, str] = {}
    with no_garbage_collection():
        for path in paths(results):
            try:
                records[path] = read(path)
            except UserError as error:
                damaged[path] = str(error)
    return Archive(records, damaged)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Parse without looking for cycles, which JSON has none of: half the time for many records."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def from_dict(content: Any) -> Record:
    """Build a record from parsed JSON of this or an older schema."""
    sections = checked(content)
    return Record(
        **{item.name: sections[item.name] for item in fields(Record) if item.name in sections}
    )
