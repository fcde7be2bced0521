"""Leakage: the same patient, the same slice or nearly the same slice in two sets of a split."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from data_pipeline.errors import UserError
from data_pipeline.splitting.similar_slices import ALIKE, Slices
from data_pipeline.splitting.split import SETS, SLICE_MARK, Split

CHUNK = 1024
SHOWN = 10


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
