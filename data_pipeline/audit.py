"""Leakage: the same patient, the same slice or nearly the same slice in two sets of a split.

Two slices are nearly the same where their pictures, reduced to 32 x 32 pixels and centred,
correlate by at least .98. Measured on 64 patients of the LGG set (2,264 slices): slices of two
different patients reach .974 at most, while a copy with noise, another gamma, JPEG artefacts, half
the resolution or one pixel of shift stays above .98 (95 of 100 times above .99). Slices with
almost no contrast resemble each other whoever they show, and are left out.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from data_pipeline.case import Case, read_case
from data_pipeline.check import WORKERS
from data_pipeline.errors import Quarantined, UserError
from data_pipeline.split import SETS, SLICE_MARK, Split

SIDE = 32
ALIKE = 0.98
FAINT = 0.02  # a standard deviation below this share of the case's range: next to no contrast
CHUNK = 1024
SHOWN = 10
Progress = Callable[[Iterable[Any], int], Iterable[Any]]


@dataclass(frozen=True, eq=False)
class Slices:
    """What is compared of a case: a digest and a small picture of each slice with contrast."""

    case: str
    patient: str
    depth: int
    burden: float  # the share of tumour in the volume, by which splits are stratified
    indices: np.ndarray  # of the slices with contrast
    digests: tuple[str, ...]
    pictures: np.ndarray  # (slices with contrast, SIDE * SIDE * C), centred, of length 1
    files: Mapping[str, str] = field(default_factory=dict)  # image path -> SHA-256


@dataclass(frozen=True)
class Pair:
    """Two slices (`case#index`), and how alike they are."""

    first: str
    second: str
    likeness: float


@dataclass(frozen=True)
class Audit:
    """What two sets of a split share."""

    split_digest: str
    leaky: bool
    slices: Mapping[str, int]  # by set
    patients: Mapping[str, int]  # by set
    shared_patients: tuple[str, ...]
    identical: int  # pairs of slices in two sets
    alike: int  # pairs of slices in two sets, the identical ones among them
    pairs: tuple[Pair, ...]  # the most alike
    test_with_twin: int  # test slices that have one in training
    copied_files: tuple[tuple[str, str], ...]

    def summary(self) -> list[str]:
        """Say what was found, in a few lines for people."""
        sets = ", ".join(
            f"{name} {self.slices[name]} slices of {self.patients[name]} patients" for name in SETS
        )
        lines = [
            f"split {self.split_digest}: {sets}",
            f"patients in two sets: {_few(self.shared_patients)}",
            f"pairs of slices in two sets: {self.identical} identical, {self.alike} alike",
            f"test slices with a twin in training: {self.test_with_twin} of {self.slices['test']}",
            *(f"  {p.first} and {p.second}: {p.likeness:.4f}" for p in self.pairs),
            *(f"the same bytes twice: {one} and {other}" for one, other in self.copied_files),
        ]
        return [*lines, "nothing leaks" if self.clean else "this split leaks"]

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.shared_patients or self.alike or self.copied_files)


def slices_of(
    cases: Iterable[Case], *, workers: int = WORKERS, progress: Progress | None = None
) -> tuple[list[Slices], list[str]]:
    """Read cases and keep what is compared of them; beside that, why some can't be read."""
    cases = list(cases)
    shown = progress or (lambda items, total: items)
    with ThreadPoolExecutor(workers) as pool:
        read = list(shown(pool.map(_read, cases), len(cases)))
    unread = [item for item in read if isinstance(item, str)]
    return [item for item in read if isinstance(item, Slices)], unread


def burdens(found: Iterable[Slices]) -> dict[str, float]:
    """Give each patient's share of tumour, the mean over his examinations."""
    shares: dict[str, list[float]] = defaultdict(list)
    for slices in found:
        shares[slices.patient].append(slices.burden)
    return {patient: sum(values) / len(values) for patient, values in shares.items()}


def audit(found: Iterable[Slices], split: Split) -> Audit:
    """Compare the sets of a split of patients, cases or slices with each other."""
    found = list(found)
    if not found:
        raise UserError("There is no readable case to audit; run `gliozoo data check` to see why.")
    place = {unit: name for name in SETS for unit in getattr(split, name)}
    by_case = [_places(slices, place) for slices in found]
    sets = np.concatenate([p[s.indices] for s, p in zip(found, by_case, strict=True)])
    names = np.array([f"{s.case}{SLICE_MARK}{i}" for s in found for i in s.indices.tolist()])
    digests = np.array([digest for s in found for digest in s.digests])
    pictures = np.concatenate([s.pictures for s in found])
    pairs = list(_pairs(pictures, sets, names, digests))
    everywhere = [(s.patient, p) for s, places in zip(found, by_case, strict=True) for p in places]
    return Audit(
        split_digest=split.digest,
        leaky=split.leaky,
        slices={name: sum(p == name for _, p in everywhere) for name in SETS},
        patients={name: len({patient for patient, p in everywhere if p == name}) for name in SETS},
        shared_patients=_shared(everywhere),
        identical=sum(pair.likeness == 1 for pair, _ in pairs),
        alike=len(pairs),
        pairs=tuple(sorted((pair for pair, _ in pairs), key=lambda p: -p.likeness)[:SHOWN]),
        test_with_twin=len({twin for _, twin in pairs if twin}),
        copied_files=_copies(found),
    )


def _few(names: tuple[str, ...], shown: int = 5) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return (f"{len(names)} ({', '.join(names[:shown])}{more})") if names else "none"


def _read(case: Case) -> Slices | str:
    try:
        volume = read_case(case, nan_to_zero=True)
    except Quarantined as error:
        return str(error)
    assert volume.label is not None  # a case without a label file is quarantined by its source
    image = volume.image
    low, high = float(image.min()), float(image.max())
    small = [cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for picture in image]
    flat = np.stack(small).reshape(len(image), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(flat, axis=1)
    (indices,) = np.nonzero(lengths > FAINT * (high - low or 1.0) * flat.shape[1] ** 0.5)
    return Slices(
        case.name,
        case.patient,
        len(image),
        float((volume.label > 0).mean()),
        indices,
        tuple(hashlib.sha256(image[i].tobytes()).hexdigest() for i in indices),
        flat[indices] / lengths[indices, None],
        {str(path): volume.sha256[path.name] for path in _with_contrast(case, indices)},
    )


def _with_contrast(case: Case, indices: np.ndarray) -> list[Path]:
    if case.form == "slices":
        return [case.images[index] for index in indices]
    return list(case.images) if len(indices) else []


def _places(slices: Slices, place: Mapping[str, str]) -> np.ndarray:
    """Name the set of each slice of a case, "" where it is in none."""
    whole = place.get(slices.case) or place.get(slices.patient, "")
    units = (f"{slices.case}{SLICE_MARK}{index}" for index in range(slices.depth))
    return np.array([place.get(unit, whole) for unit in units])


def _pairs(
    pictures: np.ndarray, sets: np.ndarray, names: np.ndarray, digests: np.ndarray
) -> Iterator[tuple[Pair, str | None]]:
    """Find the pairs in two sets; beside each, the test slice whose twin is in training."""
    for start in range(0, len(pictures), CHUNK):
        rows = slice(start, start + CHUNK)
        alike = pictures[rows] @ pictures[start:].T >= ALIKE
        alike &= (sets[rows, None] != sets[None, start:]) & (sets[rows, None] != "")
        alike &= sets[None, start:] != ""
        for i, j in np.argwhere(np.triu(alike, 1)) + start:
            same = digests[i] == digests[j]
            likeness = 1.0 if same else min(float(pictures[i] @ pictures[j]), 1 - 1e-7)
            both = {sets[i]: str(names[i]), sets[j]: str(names[j])}
            twin = both["test"] if both.keys() == {"test", "train"} else None
            yield Pair(str(names[i]), str(names[j]), likeness), twin


def _shared(everywhere: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    places: dict[str, set[str]] = defaultdict(set)
    for patient, place in everywhere:
        places[patient].update([place] if place else [])
    return tuple(sorted(patient for patient, sets in places.items() if len(sets) > 1))


def _copies(found: Iterable[Slices]) -> tuple[tuple[str, str], ...]:
    first: dict[str, str] = {}
    files = [(path, digest) for s in found for path, digest in s.files.items()]
    pairs = [(first.setdefault(digest, path), path) for path, digest in files]
    return tuple((one, other) for one, other in pairs if one != other)
