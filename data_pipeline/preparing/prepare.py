"""Preparing a data set once: read, normalise, bring to the model's grid, write as records.

A store is named by the digest of its source files and of the settings that change its bytes, so it
can't be stale. Cases are written one by one; after a kill the finished ones are kept.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from typing import Any

from data_pipeline.errors import UserError
from data_pipeline.files import digests, whole_files
from data_pipeline.preparing.preparation import Job
from data_pipeline.storing import store

ELSEWHERE = "name another folder, of bench with --cache, of data prepare with --out"

Progress = Callable[[Iterable[Any], int], Iterable[Any]]


def prepared(job: Job, folder: Path, progress: Progress | None = None) -> store.Store:
    """Open the store of a job, preparing what is missing or damaged; one process at a time."""
    path = folder / job.key
    ready = store.open_store(path)
    if ready:
        return ready
    try:
        with whole_files.locked(path.with_suffix(".lock")):
            ready = store.open_store(path)  # another process may have finished it meanwhile
            if ready is None:
                path.mkdir(parents=True, exist_ok=True)
                _write(job, path, progress or (lambda items, total: items))
                ready = store.open_store(path)
    except OSError as error:
        raise UserError(
            f"{path}: can't prepare the data there ({error.strerror}); "
            f"free some room, or {ELSEWHERE}."
        ) from error
    if ready is None:
        raise UserError(f"{path}: what was written there can't be read back; check this disk.")
    return ready


def _write(job: Job, path: Path, progress: Progress) -> None:
    _require_room(job, path)
    for torn in path.glob(".*.part"):
        torn.unlink()
    (path / store.INDEX).unlink(missing_ok=True)
    cases = sorted(progress(_each(job, path), len(job.cases)), key=lambda values: values["name"])
    names = [name for values in cases for name in values["bytes"]]
    store.remember(path, {name: digests.stamp(path / name) for name in names})
    index = {
        "about": dict(job.about),
        "cases": cases,
        "format": job.format,
        "key": job.key,
        "preparation": job.preparation.as_json(),
    }
    whole_files.write_json(path / store.INDEX, index | {"digest": digests.digest(index, 64)})


def _each(job: Job, path: Path) -> Iterator[dict[str, Any]]:
    """Prepare cases side by side; one that fails stops those that have not begun."""
    from data_pipeline.preparing.prepare_case import prepared_case

    with ThreadPoolExecutor(job.workers) as pool:
        pending = [
            pool.submit(prepared_case, case, job.records[case.name], job.preparation, path)
            for case in job.cases
        ]
        try:
            for future in pending:
                yield future.result()
        finally:
            for future in pending:
                future.cancel()


def _require_room(job: Job, path: Path) -> None:
    """Refuse before the first byte what could not be finished (an upper bound: volumes shrink)."""
    flat = job.preparation.rank == 2
    plane = prod(job.preparation.size)
    voxels = sum(shape[0] * plane if flat else prod(shape) for shape in job.shapes)
    need = voxels * 2 * (len(job.preparation.channels) + 1)
    free = shutil.disk_usage(path).free
    if need > free:
        raise UserError(
            f"{path}: the prepared data may take {need / 1e9:.1f} GB, but {free / 1e9:.1f} GB are "
            f"free there; free some room, or {ELSEWHERE}."
        )
