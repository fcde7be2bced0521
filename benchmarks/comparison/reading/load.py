"""From a folder of records to scores: each file read, checked, scored and let go."""

import filecmp
import importlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.comparison.reading.repeated import repeated
from benchmarks.comparison.reading.scores import RunScores, extract, policy_of
from benchmarks.errors import UserError
from benchmarks.records import record, verify
from benchmarks.records.record import Record

MANY = 200  # files; below it, starting processes costs more than it saves
CHUNK = 25


@dataclass(frozen=True)
class Loaded:
    """What a results folder holds: finished runs, failed ones, and what is left out, with why.

    The files that are left out are named as they lie in the folder.
    """

    runs: tuple[RunScores, ...]
    failed: dict[Path, Record]
    left_out: dict[Path, str]
    external: tuple[Record, ...] = ()


def load(results: Path | str | Sequence[Path], policy: str | None = None) -> Loaded:
    """Read every record under a results folder, or several, or in the folder of one machine."""
    folders = [Path(results)] if isinstance(results, Path | str) else list(results)
    paths = _once(record.paths(folder) for folder in folders)
    with record.no_garbage_collection():  # of what comes back from the processes, too
        found = dict(zip(paths, _each(paths, policy), strict=True))
    runs = [one for one in found.values() if isinstance(one, RunScores)]
    elsewhere = [one for one in found.values() if isinstance(one, Record) and one.status == "ok"]
    refused = {path: one for path, one in found.items() if isinstance(one, str)}
    refused |= repeated(runs)
    return Loaded(
        runs=tuple(run for run in runs if run.path not in refused),
        failed={
            path: one
            for path, one in found.items()
            if isinstance(one, Record) and one.status == "failed"
        },
        left_out={shown(path, folders): refused[path] for path in sorted(refused)},
        external=tuple(elsewhere),
    )


def _once(folders: Iterable[Sequence[Path]]) -> list[Path]:
    """Leave out a record that lies in an earlier folder too, byte for byte."""
    kept: dict[Path, None] = {}
    for paths in folders:
        alike: dict[str, list[Path]] = {}
        for path in kept:
            alike.setdefault(path.name, []).append(path)
        for path in paths:
            if not any(filecmp.cmp(path, one, shallow=False) for one in alike.get(path.name, ())):
                kept[path] = None
    return list(kept)


def shown(path: Path, folders: Sequence[Path]) -> Path:
    """Name a file as it lies in the folder; with its folder where there are several."""
    return path.relative_to(folders[0]) if len(folders) == 1 else path


Found = RunScores | Record | str


def _each(paths: Iterable[Path], policy: str | None) -> Iterator[Found]:
    paths, read = list(paths), partial(_one, policy=policy)
    workers = min(8, os.cpu_count() or 1)
    if len(paths) < MANY or workers == 1:
        yield from map(read, paths)
        return
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(read, paths, chunksize=CHUNK)
        importlib.import_module(
            "benchmarks.comparison.judging.statistics"
        )  # a second of SciPy, while they read
        yield from found


def _one(path: Path, policy: str | None) -> Found:
    """Read a file: scores of a finished run, the record of a failed one, or what is wrong."""
    try:
        with record.no_garbage_collection():
            examined = verify.examine(path)
            found = examined.record
            if examined.problems:
                return _told(examined.problems)
            if found.status == "ok" and found.run.get("external"):
                return found
            if found.status == "failed" or examined.tally is None:
                return replace(found, patients=[])
            return extract(path, found, examined.tally, policy_of(found, policy))
    except UserError as error:
        return str(error)


def _told(problems: Sequence[str]) -> str:
    """Return the first problem, and how many more there are."""
    more = f" (and {len(problems) - 1} more: gliozoo verify)" if len(problems) > 1 else ""
    return f"{problems[0]}{more}"
