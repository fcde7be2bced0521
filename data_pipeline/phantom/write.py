"""Phantom cohorts on disk: written aside and renamed, never over others' files."""

import json
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from data_pipeline.errors import UserError
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
    root = Path(root)
    _check(root, layout, patients, size, seed)
    root.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        _write_patients(aside, layout, patients, size, seed, workers)
        write_index(aside, layout, patients)
        write_json(aside / MARKER, _facts(layout, patients, size, seed))
        aside.chmod(0o755)
        if root.exists():
            shutil.rmtree(root)
        os.replace(aside, root)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return root


def ensure(
    cache: str | Path, layout: str = "nnunet", patients: int = 12, size: int = 64, seed: int = 0
) -> Path:
    """Return the folder of this cohort under `cache`, written on the first call only."""
    root = Path(cache) / f"phantom-v{VERSION}-{layout}-n{patients}-{size}-s{seed}"
    wanted = _facts(layout, patients, size, seed)
    if facts(root) == wanted:
        return root
    try:
        return write(root, layout, patients, size, seed)
    except OSError:
        if facts(root) == wanted:  # another process wrote the same cohort at the same time
            return root
        raise


def facts(root: Path) -> dict[str, Any]:
    """Read the marker of a cohort; empty where there is none."""
    try:
        found = json.loads((root / MARKER).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("gliozoo") == "phantom" else {}


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
    if root.exists() and not root.is_dir():
        raise UserError(f"{root}: expected a folder to write to, found a file; name another one.")
    if root.is_dir() and any(root.iterdir()) and not facts(root):
        raise UserError(
            f"{root}: expected an empty folder or an earlier phantom cohort (with {MARKER}); it "
            "holds other files, which would be lost: name another folder."
        )


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
