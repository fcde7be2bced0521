"""What a page shows: one scan, its reference where there is one, and masks on the scan's grid."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.errors import UserError
from data_pipeline.cases.case import Case, Regions, Volume
from data_pipeline.cases.read_case import read_case
from data_pipeline.files import listing
from data_pipeline.formats import nifti
from data_pipeline.scans import mask_search, own_labels, search
from data_pipeline.scans.own_labels import WHOLE, Meaning

CHANNELS = tuple(f"channel {number}" for number in range(16))  # of files that name none
NAMED = 3  # scans that a sentence names
REFERENCE = "Reference"
Masks = Mapping[str, np.ndarray]  # (D, H, W) uint8 in the project's values, by what they are called


@dataclass(frozen=True, eq=False)
class Shown:
    """A scan with its masks; `regions` unite their values, the widest first."""

    name: str
    volume: Volume
    regions: Regions
    reference: np.ndarray | None
    masks: Masks

    @property
    def layers(self) -> Masks:
        """Return the reference, if there is one, and all masks."""
        first = {} if self.reference is None else {REFERENCE: self.reference}
        return {**first, **self.masks}


def read(
    scan: Path,
    masks: Sequence[Path] = (),
    *,
    reference: Path | None = None,
    case: str | None = None,
    version: str | None = None,
    whole: bool = False,
) -> Shown:
    """Find and read a scan of any layout, the masks given, and the labels that lie beside it."""
    found = find(scan, case, version)
    truth = _files(reference, found) if reference else own_labels.beside(found)
    layers: dict[str, tuple[Path, ...]] = {}
    for place in masks:
        layers[_new(_name(place, found), layers)] = _files(place, found)
    return _of_files(found, layers, truth, WHOLE if whole else own_labels.meaning(found))


def of_case(case: Case, masks: Mapping[str, tuple[Path, ...]]) -> Shown:
    """Read a scan that was found, mask files by what they are called, and labels beside it."""
    case = _of_its_channels(case)
    layers = {_new(name, ()): files for name, files in masks.items()}
    return _of_files(case, layers, own_labels.beside(case), own_labels.meaning(case))


def _of_files(
    case: Case, masks: Mapping[str, tuple[Path, ...]], truth: tuple[Path, ...], meaning: Meaning
) -> Shown:
    volume = read_case(case)
    layers = {name: labels(case, files, meaning) for name, files in masks.items()}
    reference = labels(case, truth, meaning) if truth else None
    return Shown(case.name, volume, meaning.regions, reference, layers)


def predicted(
    case: Case, name: str, found: np.ndarray, regions: Regions, *, beside: bool = True
) -> Shown:
    """Read a scan again that a network has just answered on, and the labels that lie beside it."""
    whole = set(case.values) == {0, 1}
    meaning = WHOLE if whole else Meaning(case.values, regions)
    files = own_labels.beside(case) if beside else ()
    volume = read_case(case)
    truth = labels(case, files, meaning) if files else None
    shown = dict.fromkeys(regions, (1,)) if whole else regions
    return Shown(case.name, volume, shown, truth, {name: found})


def find(scan: Path, name: str | None = None, version: str | None = None) -> Case:
    """Find the one scan at a place; a file stands for the scan that it is a part of."""
    wanted = search.Wanted(CHANNELS, "brats", version, whole=False)
    if scan.is_file():
        if not search.is_scan(scan):
            raise UserError(f"{scan}: expected a NIfTI file, a slice, or a folder of them.")
        places = [path for path in listing.entries(scan.parent) if search.is_scan(path)]
        cases = [case for case in search.find(places, wanted, version) if scan in case.images]
    else:
        cases = search.find([scan], wanted, version)
    cases = [case for case in cases if name in (None, case.name)]
    if len(cases) == 1:
        return _of_its_channels(cases[0])
    if not cases:
        raise UserError(f"{scan}: is no scan{f', or none called {name}' if name else ''}.")
    named = ", ".join([case.name for case in cases[:NAMED]] + ["..."] * (len(cases) > NAMED))
    raise UserError(f"{scan}: holds {len(cases)} scans ({named}); choose one with --case.")


def labels(case: Case, files: tuple[Path, ...], meaning: Meaning) -> np.ndarray:
    """Read a mask of a scan; one that does not lie on the scan's grid is refused."""
    if case.form == "volumes":  # one image is enough to compare the grids
        case = replace(case, images=case.images[:1], channels=case.channels[:1])
    one = replace(case, masks=files, values=meaning.values, remedy=meaning.remedy)
    found = read_case(one).label
    assert found is not None  # because it has masks
    return found


def _of_its_channels(case: Case) -> Case:
    """Name as many channels as a file has in which they lie together, where it names none."""
    if case.form != "stack" or case.channels != CHANNELS or case.problem:
        return case
    return replace(case, channels=CHANNELS[: nifti.announced_channels(case.images[0])])


def _files(place: Path, case: Case) -> tuple[Path, ...]:
    """Return the mask files of a scan at a place: a file, or a folder of masks."""
    if place.is_dir():
        return mask_search.find(place, [case])[case.name]
    if not place.is_file():
        raise UserError(f"{place}: there is no such mask.")
    if case.form == "slices" and len(case.images) > 1:
        raise UserError(f"{place}: expected a folder with a mask for each slice of {case.name}.")
    return (place,)


def _name(place: Path, case: Case) -> str:
    """Call a mask by its file, or by its folder where the file is called as the scan is."""
    stem = listing.NIFTI.sub("", place.name)
    return place.absolute().parent.name if stem == case.name and place.is_file() else stem


def _new(name: str, known: Container[str]) -> str:
    count = 2
    found = name
    while found in known or found == REFERENCE:
        found, count = f"{name} {count}", count + 1
    return found
