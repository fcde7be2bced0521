"""What one network takes and scores in every runtime of a machine: a sheet beside its record.

results/<machine>/runtimes/<stem>.json belongs to results/<machine>/<stem>.json, and to no other
weights than those that the record names.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.records import atomic, door

FOLDER = "runtimes"
LARGEST = door.MEGABYTE


@dataclass(frozen=True)
class Measured:
    """One runtime: milliseconds of a sample, size, and its Dice less Keras' on the same patients.

    `refused` says in words why there are no figures.
    """

    runtime: str
    p50: float | None = None
    p95: float | None = None
    megabytes: float | None = None
    dice: float | None = None
    difference: float | None = None
    least: float | None = None  # of a patient's difference
    most: float | None = None
    refused: str = ""


@dataclass(frozen=True)
class Sheet:
    """All runtimes of one network, on one machine; `patients` of its test set were scored."""

    model: str
    protocol: str
    weights_sha256: str
    cpu: str
    threads: int
    patients: int
    rows: tuple[Measured, ...]


def path_of(record: Path) -> Path:
    """Say where the sheet of a record lies."""
    return record.parent / FOLDER / record.name


def write(sheet: Sheet, path: Path) -> None:
    """Write a sheet whole or not at all."""
    content = json.dumps(asdict(sheet), indent=1, sort_keys=True, allow_nan=False)
    try:
        atomic.write(path, f"{content}\n".encode())
    except OSError as error:
        raise UserError(
            f"Cannot write {path}: {error.strerror or error}; free space there, or make it "
            "writable."
        ) from error


def read(path: Path) -> Sheet:
    """Read a sheet; whatever is wrong with one is a sentence."""
    try:
        told = door.parsed(door.content(path, LARGEST))
        return _sheet(told)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except (TypeError, KeyError, ValueError) as error:
        raise UserError(
            f"{path}: expected a sheet of `gliozoo profile RUN --runtimes`; remove the file."
        ) from error


def _sheet(told: dict[str, Any]) -> Sheet:
    rows = tuple(Measured(**row) for row in told["rows"])
    sheet = Sheet(**{field.name: told[field.name] for field in fields(Sheet)} | {"rows": rows})
    texts = [sheet.model, sheet.protocol, sheet.weights_sha256, sheet.cpu]
    texts += [text for row in rows for text in (row.runtime, row.refused)]
    numbers = [getattr(row, field.name) for row in rows for field in fields(Measured)[1:-1]]
    numbers += [sheet.threads, sheet.patients]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a name that is no text")
    if not all(number is None or isinstance(number, int | float) for number in numbers):
        raise ValueError("a figure that is no number")
    return sheet


def paths(folders: Iterable[Path]) -> list[Path]:
    """Return the sheets of results folders, or of the folders of single machines."""
    found = {
        path
        for folder in folders
        for pattern in (f"{FOLDER}/*.json", f"*/{FOLDER}/*.json")
        for path in folder.glob(pattern)
    }
    return sorted(found)
