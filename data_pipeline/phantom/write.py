"""Phantom cohorts on disk: written aside and renamed, never over others' files.

The marker lists every file of the cohort. An earlier cohort is replaced only where nothing else
lies in its folder, and removed file by file (`folder`).
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_pipeline.errors import UserError
from data_pipeline.files import whole_files
from data_pipeline.phantom import folder
from data_pipeline.phantom.formats import WRITERS, write_index, write_json
from data_pipeline.phantom.patient import check_size, generate

MARKER = "phantom.json"
VERSION = 1  # of the pictures: raised whenever the same seed gives other voxels
LAYOUTS = tuple(WRITERS)


def write(
    root: str | Path,
    layout: str = "lgg",
    patients: int = 12,
    size: int = 64,
    seed: int = 0,
    workers: int | None = None,
) -> Path:
    """Write a cohort whole or not at all; an earlier cohort in the same folder is replaced."""
    root = Path(root).resolve() if Path(root).is_symlink() else Path(root)
    with _writing(root):
        _check(root, layout, patients, size, seed)
        with folder.written(root, MARKER) as aside:
            _write_patients(aside, layout, patients, size, seed, workers)
            write_index(aside, layout, patients)
            listed = sorted(folder.leaves(aside) - {folder.UNFINISHED})
            write_json(
                aside / MARKER, _facts(layout, patients, size, seed) | {folder.LISTED: listed}
            )
    return root


def ensure(
    cache: str | Path, layout: str = "nnunet", patients: int = 12, size: int = 64, seed: int = 0
) -> Path:
    """Return the folder of this cohort under `cache`, written on the first call only.

    Processes that ask at the same time wait for the one that writes it.
    """
    root = Path(cache) / f"phantom-v{VERSION}-{layout}-n{patients}-{size}-s{seed}"
    wanted = _facts(layout, patients, size, seed)
    if _is(root, wanted):
        return root
    with _writing(root), whole_files.locked(root.with_name(f"{root.name}.lock")):
        return root if _is(root, wanted) else write(root, layout, patients, size, seed)


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Turn a folder that takes nothing into one sentence."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{root}: can't be written ({error.strerror or error}); free some room there or name "
            "another folder."
        ) from error


def facts(root: Path) -> dict[str, Any]:
    """Read the marker of a cohort; empty where there is none."""
    found = whole_files.read_json(root / MARKER)
    return found if isinstance(found, dict) and found.get("gliozoo") == "phantom" else {}


def _is(root: Path, wanted: dict[str, Any]) -> bool:
    found = facts(root)
    return {key: found.get(key) for key in wanted} == wanted


def _facts(layout: str, patients: int, size: int, seed: int) -> dict[str, Any]:
    cohort = {"layout": layout, "patients": patients, "size": size, "seed": seed}
    return {"gliozoo": "phantom", "version": VERSION, **cohort}


def _check(root: Path, layout: str, patients: int, size: int, seed: int) -> None:
    if layout not in LAYOUTS:
        raise UserError(f"Expected a layout of {', '.join(LAYOUTS)}. Received: {layout!r}.")
    check_size(size)
    if not 1 <= patients <= 99999:
        raise UserError(f"Expected from 1 to 99999 patients. Received: {patients}.")
    if seed < 0:
        raise UserError(f"Expected a seed of 0 or more. Received: {seed}.")
    folder.require_replaceable(root, MARKER)


def _write_patients(
    root: Path, layout: str, patients: int, size: int, seed: int, workers: int | None
) -> None:
    def one(index: int) -> None:
        WRITERS[layout](root, index + 1, generate(seed, index, size))

    with ThreadPoolExecutor(workers or _workers(patients, size)) as pool:
        list(pool.map(one, range(patients)))


def _workers(patients: int, size: int) -> int:
    """Choose as many threads as there are processors, with patients of about 2 GB together."""
    patient_bytes = 24 * size**3  # 0.6 size slices, four float32 signals and four uint16 voxels
    return max(1, min(patients, os.cpu_count() or 1, (2 << 30) // patient_bytes))
