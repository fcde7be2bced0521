"""The same image under two names, which would train and be tested at once."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from data_pipeline.cases.case import Case, file_key
from data_pipeline.checking.manifest import CaseRecord
from data_pipeline.errors import UserError
from data_pipeline.formats import raster


def find(records: Sequence[CaseRecord], cases: Sequence[Case]) -> list[UserError]:
    """Find the same image under two names: the same bytes, or packed differently."""
    pairs = [*_same_bytes(records, cases), *_same_pictures(records, cases)]
    return [
        UserError(
            f"{second}: holds the same image as {first}; remove one of them, or the same scan "
            "trains and is tested."
        )
        for first, second in pairs
    ]


def _same_bytes(records: Sequence[CaseRecord], cases: Sequence[Case]) -> Iterator[tuple]:
    """Blank slices are alike and mean nothing."""
    seen: dict[str, Path] = {}
    for record, case in zip(records, cases, strict=True):
        for path in case.images if record.reason is None else ():
            first = seen.setdefault(record.files[file_key(path)], path)
            if first is not path and not _blank_file(case, path):
                yield first, path


def _same_pictures(records: Sequence[CaseRecord], cases: Sequence[Case]) -> Iterator[tuple]:
    seen: dict[str, tuple[CaseRecord, Case]] = {}
    for record, case in zip(records, cases, strict=True):
        if record.pictures is None:
            continue
        first, other = seen.setdefault(record.pictures, (record, case))
        copied = set(first.files.values()) & {record.files[file_key(path)] for path in case.images}
        if first is not record and not copied:
            yield other.images[0], case.images[0]


def _blank_file(case: Case, path: Path) -> bool:
    return case.form == "slices" and blank(raster.read_image(path, nan_to_zero=True).array)


def blank(array: np.ndarray) -> bool:
    """Whether all values are equal; few are looked at where they are not."""
    coarse = array[tuple(slice(None, None, max(1, size // 8)) for size in array.shape)]
    return bool((coarse == array.flat[0]).all() and (array == array.flat[0]).all())
