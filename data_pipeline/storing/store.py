"""Prepared cases on disk, read by memory map: fixed-size records in one flat file a case.

A record is one slice, `(h, w, C + 1)`: its channels and, last, its label, side by side, so that one
read and one warp serve both. `index.json` is written last; a store without it is unfinished.
"""

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from data_pipeline.errors import UserError
from data_pipeline.files import digests, whole_files
from data_pipeline.grid.geometry import Geometry
from data_pipeline.storing import store_index

INDEX = store_index.INDEX
STAMPS = "stamps.json"
UNREADABLE = (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class StoredCase:
    """One prepared case: what its files hold and what their bytes must be."""

    name: str
    patient: str
    stem: str
    dtype: str
    scales: tuple[float, ...]
    geometry: Geometry
    spacing: tuple[float, float, float]
    in_mm: bool
    lesion: tuple[int, ...]  # lesion voxels in each slice of the model's grid
    bytes: dict[str, int]  # by file name
    sha256: dict[str, str]

    @property
    def depth(self) -> int:
        """Count the slices on the model's grid."""
        return self.geometry.shape[0]

    @property
    def record_shape(self) -> tuple[int, ...]:
        """Give the shape of all records: `(D, h, w, C + 1)`."""
        return (*self.geometry.shape, len(self.scales) + 1)

    def as_json(self) -> dict[str, Any]:
        """Give what `stored_case` reads back."""
        return asdict(self)


def stored_case(values: dict[str, Any]) -> StoredCase:
    """Read back a case's part of the index."""
    plan = values["geometry"]
    geometry = Geometry(tuple(plan["native"]), tuple(map(tuple, plan["box"])), tuple(plan["shape"]))
    lists = {key: tuple(values[key]) for key in ("scales", "spacing", "lesion")}
    return StoredCase(**{**values, **lists, "geometry": geometry})


class Store:
    """The prepared cases under one folder; maps a case's file when it is first read."""

    def __init__(self, path: Path, index: dict[str, Any]):
        self.path = path
        self.index = index
        self.cases: Sequence[StoredCase] = tuple(map(stored_case, index["cases"]))
        self._maps: dict[int, np.ndarray] = {}
        self._foreground: dict[int, np.ndarray] = {}

    @property
    def key(self) -> str:
        """Name the content of the data and its preparation."""
        return self.index["key"]

    @property
    def about(self) -> Mapping[str, Any]:
        """Give what is known of the data set: layout, labels, regions, burdens."""
        return self.index["about"]

    @property
    def depths(self) -> dict[str, int]:
        """Count the slices of each case."""
        return {case.name: case.depth for case in self.cases}

    def records(self, case: int) -> np.ndarray:
        """Map the records of a case: `(D, h, w, C + 1)`, read-only."""
        found = self._maps.get(case)
        if found is None:
            found = self._maps.setdefault(case, self._map(self.cases[case]))
        return found

    def _map(self, case: StoredCase) -> np.ndarray:
        path = self.path / f"{case.stem}.records"
        try:
            return np.memmap(path, case.dtype, "r", shape=case.record_shape).view(np.ndarray)
        except (OSError, ValueError) as error:
            raise _altered(path) from error

    def reference(self, case: int) -> np.ndarray:
        """Read the `(D, H, W)` uint8 labels on the scan's own grid."""
        found = self._labels(case, "reference")
        if found.dtype != np.uint8 or found.shape != self.cases[case].geometry.native:
            raise _altered(self._labels_path(case))
        return found

    def foreground(self, case: int) -> np.ndarray:
        """Read (and keep) a sample of lesion voxels on the model's grid: `(label, d, h, w)`."""
        found = self._foreground.get(case)
        if found is None:
            found = self._labels(case, "foreground")
            if not _inside(found, self.cases[case].geometry.shape):
                raise _altered(self._labels_path(case))
            found = self._foreground.setdefault(case, found)
        return found

    def _labels(self, case: int, name: str) -> np.ndarray:
        try:
            with np.load(self._labels_path(case)) as arrays:
                return arrays[name]
        except (
            OSError,
            ValueError,
            LookupError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise _altered(self._labels_path(case)) from error

    def _labels_path(self, case: int) -> Path:
        return self.path / f"{self.cases[case].stem}.labels.npz"

    @cached_property
    def first_slices(self) -> np.ndarray:
        """Number the slices of all cases in a row: where each case starts, and the total."""
        return np.concatenate([[0], np.cumsum([case.depth for case in self.cases])])


def _inside(foreground: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether rows of label and place lie on a grid."""
    if foreground.dtype != np.int16 or foreground.ndim != 2 or foreground.shape[1] != 4:
        return False
    return bool((foreground >= 0).all() and (foreground[:, 1:] < shape).all())


def _altered(path: Path) -> UserError:
    return UserError(
        f"{path}: is not what was written when the data were prepared; copy the store again or "
        "prepare it anew."
    )


def open_store(path: Path, *, thorough: bool = False) -> Store | None:
    """Open a finished store; None where it is unfinished, damaged, or not there."""
    index = store_index.read(path)
    if index is None:
        return None
    store = Store(path, index)
    return None if damaged(store, thorough=thorough) else store


def damaged(store: Store, *, thorough: bool = False) -> list[str]:
    """Name the files that are not what was written.

    A file untouched since its bytes were last digested is not read again, unless `thorough`.
    """
    trusted = whole_files.read_json(store.path / STAMPS)
    trusted = trusted if isinstance(trusted, dict) and not thorough else {}
    stamps: dict[str, Any] = {}
    bad = []
    for case in store.cases:
        for name, size in case.bytes.items():
            stamps[name] = digests.stamp(store.path / name)
            if not _sound(store.path / name, size, case.sha256[name], trusted.get(name)):
                bad.append(name)
    if not bad and stamps != trusted:
        remember(store.path, stamps)
    return sorted(bad)


def _sound(path: Path, size: int, sha256: str, trusted: list[int] | None) -> bool:
    stamp = digests.stamp(path)
    if stamp is None or stamp[0] != size or not path.is_file():
        return False
    try:
        return stamp == trusted or digests.sha256(path) == sha256
    except OSError:
        return False


def remember(path: Path, stamps: dict[str, Any]) -> None:
    """Note that these files were digested, where the folder may be written."""
    try:
        whole_files.write_json(path / STAMPS, stamps)
    except OSError:
        return
