"""Splits by patient: pure, seeded, stratified by tumour burden, the same in whatever order.

Slices of one patient resemble each other, so a split that divides a patient measures memory. Such
a split can be made here on purpose (`make_leaky`), to measure what it inflates; it says so in its
digest.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from data_pipeline.errors import UserError
from data_pipeline.files import whole_files

FOLDER = Path(__file__).parent / "splits"
COMMITTED = {"lgg": FOLDER / "lgg110.json", "brats": FOLDER / "brats17.json"}
SETS = ("train", "val", "test")
SLICE_MARK = "#"  # between case and slice in the units of a leaky split: `TCGA_CS_4941#7`


@dataclass(frozen=True)
class Split:
    """Who trains, who chooses the best epoch, who is scored; the sets are disjoint and sorted."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    leaky: bool = False  # the units are slices, so patients are in several sets

    @cached_property
    def digest(self) -> str:
        """Name the split by its content; a leaky one can't be taken for another."""
        content = json.dumps([self.train, self.val, self.test, self.leaky])
        return ("leaky-" if self.leaky else "") + hashlib.sha256(content.encode()).hexdigest()[:16]


def make(
    patients: Mapping[str, float | None],
    *,
    seed: int = 0,
    folds: int = 5,
    fold: int = 0,
    val_fraction: float = 0.15,
) -> Split:
    """Split patients, each with its tumour burden (None: unknown), for one of several folds.

    Over all folds every patient is tested exactly once; `val_fraction` is of those that are left.
    """
    _check(len(patients), folds, fold, val_fraction)
    assigned = assign_folds(patients, seed=seed, folds=folds)
    test = [patient for patient in patients if assigned[patient] == fold]
    rest = {patient: burden for patient, burden in patients.items() if assigned[patient] != fold}
    val = _pick(rest, round(val_fraction * len(rest)), f"val/{seed}/{fold}")
    return _split(patients, val, test)


def make_leaky(
    slices: Mapping[str, int],
    *,
    seed: int = 0,
    folds: int = 5,
    fold: int = 0,
    val_fraction: float = 0.15,
) -> Split:
    """Split slices (case -> how many), as papers should not; the units are `case#slice`."""
    units: dict[str, float | None] = {
        f"{case}{SLICE_MARK}{index}": None
        for case, count in slices.items()
        for index in range(count)
    }
    sound = make(units, seed=seed, folds=folds, fold=fold, val_fraction=val_fraction)
    return Split(sound.train, sound.val, sound.test, leaky=True)


def read(path: Path) -> Split:
    """Read somebody's own split: JSON lists `train`, `val` and `test` of patients or cases."""
    try:
        content = whole_files.parsed(whole_files.contents(path))
        sets = {name: tuple(sorted(map(str, content[name]))) for name in SETS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: expected JSON with the lists train, val and test ({error!r}); mend it."
        ) from error
    return Split(sets["train"], sets["val"], sets["test"])


def slice_of(unit: str) -> tuple[str, int]:
    """Read a unit of a leaky split: the case and the number of its slice, from 0."""
    case, _, index = unit.rpartition(SLICE_MARK)
    return case, int(index)


def choose(
    layout: str,
    patients: Mapping[str, float | None],
    *,
    seed: int = 0,
    folds: int = 5,
    fold: int = 0,
    val_fraction: float = 0.15,
) -> Split:
    """Take the committed split of a public data set where it was asked for, else make one.

    The committed one stands for its own seed, folds and fraction, and for patients that it names.
    """
    if layout in COMMITTED:
        published = json.loads(COMMITTED[layout].read_text())
        asked = {"seed": seed, "folds": folds, "val_fraction": val_fraction}
        if published["settings"] == asked and patients.keys() <= set(published["patients"]):
            _check(len(patients), folds, fold, val_fraction)
            chosen = published["splits"][fold]
            return _split(patients, chosen["val"], chosen["test"])
    return make(patients, seed=seed, folds=folds, fold=fold, val_fraction=val_fraction)


def assign_folds(patients: Mapping[str, float | None], *, seed: int, folds: int) -> dict[str, int]:
    """Give each patient its fold: each run of patients of like burden goes to different folds."""
    ordered = _by_burden(patients)
    assigned: dict[str, int] = {}
    for start in range(0, len(ordered), folds):
        run = _shuffled(ordered[start : start + folds], f"{seed}")
        order = _shuffled(range(folds), f"folds/{seed}/{start}")
        assigned.update(zip(run, order, strict=False))
    return assigned


def _by_burden(patients: Mapping[str, float | None]) -> list[str]:
    """Order by burden, those of unknown burden last."""
    return sorted(patients, key=lambda p: (patients[p] is None, patients[p] or 0.0, p))


def _pick(patients: Mapping[str, float | None], count: int, salt: str) -> list[str]:
    """Pick `count` patients spread over the burden, at least one and not all."""
    count = min(max(count, 1), len(patients) - 1)
    ordered = _by_burden(patients)
    bounds = [index * len(ordered) // count for index in range(count + 1)]
    return [_shuffled(ordered[low:high], salt)[0] for low, high in pairwise(bounds)]


def _split(patients: Iterable[str], val: Iterable[str], test: Iterable[str]) -> Split:
    present, val, test = set(patients), set(val), set(test)
    parts = (present - val - test, present & val, present & test)
    if not all(parts):
        raise UserError(
            f"Of {len(present)} patients {len(parts[0])} would train, {len(parts[1])} validate and "
            f"{len(parts[2])} be tested: each needs at least one; add patients or change the folds."
        )
    train, val, test = (tuple(sorted(part)) for part in parts)
    return Split(train, val, test)


def _shuffled(items: Iterable, salt: str) -> list:
    """Order by hash: the same on every machine, whatever else is in the set."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{salt}/{item}".encode()).digest())


def _check(patients: int, folds: int, fold: int, val_fraction: float) -> None:
    if folds < 2 or not 0 <= fold < folds:
        raise UserError(f"Expected a fold from 0 to {max(folds, 2) - 1}. Received: {fold}.")
    if not 0 < val_fraction < 1:
        raise UserError(f"Expected val_fraction between 0 and 1. Received: {val_fraction}.")
    if patients < max(folds, 3):
        raise UserError(
            f"{patients} patients can't be divided into {folds} folds, each with training, "
            f"validation and test; expected at least {max(folds, 3)}: add patients or lower the "
            "folds."
        )
