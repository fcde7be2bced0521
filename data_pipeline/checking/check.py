"""Every input read to its end before anything trains: refused, quarantined, or recorded.

A refusal (`UserError`) says that the data set can't be used as it is; all cases are looked at
first, so that one run names all of them. A quarantined case is unreadable alone.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from data_pipeline import sources
from data_pipeline.cases.case import Case, Dataset, Volume, bytes_to_read
from data_pipeline.cases.read_case import read_case
from data_pipeline.checking import copies
from data_pipeline.checking.manifest import NAMED, CaseRecord, Manifest
from data_pipeline.errors import Quarantined, UserError
from data_pipeline.files import memory_share

Progress = Callable[[Iterable[Any], int], Iterable[Any]]
WORKERS = min(4, os.cpu_count() or 1)  # each holds a whole case


def check(
    root: str | Path,
    layout: str | None = None,
    version: str | None = None,
    *,
    nan_to_zero: bool = False,
    workers: int = WORKERS,
    progress: Progress | None = None,
) -> Manifest:
    """Find the cases under a folder and examine each."""
    dataset = sources.find(root, layout, version)
    return examine(dataset, nan_to_zero=nan_to_zero, workers=workers, progress=progress)


def examine(
    dataset: Dataset,
    *,
    nan_to_zero: bool = False,
    workers: int = WORKERS,
    progress: Progress | None = None,
) -> Manifest:
    """Read every case of a data set; what must be refused is refused together, at the end."""

    def one(case: Case) -> CaseRecord | UserError:
        try:
            with memory_share.room(bytes_to_read(case), str(case.images[0] if case.images else "")):
                return _record(case, read_case(case, nan_to_zero=nan_to_zero), dataset)
        except Quarantined as error:
            return CaseRecord(case.name, case.patient, reason=str(error), notes=case.notes)
        except UserError as error:
            return error

    shown = progress or (lambda items, total: items)
    with ThreadPoolExecutor(workers) as pool:
        found = list(shown(pool.map(one, dataset.cases), len(dataset.cases)))
    refusals = [item for item in found if isinstance(item, UserError)]
    _refuse(refusals)
    manifest = Manifest(dataset, tuple(item for item in found if isinstance(item, CaseRecord)))
    _refuse(copies.find(manifest.records, dataset.cases))
    return manifest


def _refuse(refusals: list[UserError]) -> None:
    if not refusals:
        return
    first, rest = refusals[0], [str(error).split(": ")[0] for error in refusals[1:]]
    named = ", ".join(rest[:NAMED]) + (f" and {len(rest) - NAMED} more" if rest[NAMED:] else "")
    raise UserError(f"{str(first).rstrip('.')}; refused too: {named}." if rest else str(first))


def _record(case: Case, volume: Volume, dataset: Dataset) -> CaseRecord:
    label = volume.label
    assert label is not None  # a case without a label file is quarantined by its source
    counts = np.bincount(label.ravel(), minlength=256)
    voxels = {name: int(counts[value]) for name, value in dataset.labels.items()}
    ml = float(np.prod(volume.spacing)) / 1000
    pictures = _digest(volume.image)
    return CaseRecord(
        name=case.name,
        patient=case.patient,
        shape=volume.image.shape,
        dtype=str(volume.image.dtype),
        spacing=volume.spacing if volume.in_mm else None,
        content=_content(case, volume, pictures),
        pictures=pictures,
        files=dict(sorted(volume.sha256.items())),
        label_voxels=voxels,
        label_ml={name: round(count * ml, 4) for name, count in voxels.items()}
        if volume.in_mm
        else None,
        tumour_slices=int(label.any(axis=(1, 2)).sum()),
        constant=_constant(case, volume.image),
        notes=case.notes,
        warnings=volume.warnings,
    )


def _content(case: Case, volume: Volume, pictures: str) -> str:
    place = np.round(volume.affine, 4).astype("<f4") + np.float32(0)  # no negative zero
    about = f"{pictures} {volume.channels} {_digest(volume.label)}".encode()
    about += f" {case.spacing}".encode() if case.spacing else b""
    return hashlib.sha256(about + place.tobytes()).hexdigest()


def _digest(array: np.ndarray | None) -> str:
    """Digest values and their type, the same on a big-endian machine."""
    assert array is not None
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{little.shape} {little.dtype.str}".encode())
    digest.update(little.data)
    return digest.hexdigest()


def _constant(case: Case, image: np.ndarray) -> int:
    """Count blank slices of a stack of pictures, blank channels of a volume."""
    parts = image if case.form == "slices" else [image[..., c] for c in range(image.shape[-1])]
    return sum(copies.blank(part) for part in parts)
