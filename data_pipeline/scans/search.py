"""Scans to predict: found by their file names, with no label needed and none read.

NIfTI files, or folders that hold, at any depth, scans under one of these names:

    CASE_{flair,t1,t1ce,t2}.nii.gz     a BraTS case, under its old or its new names
    CASE_{0000,0001,...}.nii.gz        nnU-Net
    CASE.nii.gz                        one file (X, Y, Z, C), as in the Decathlon
    CASE_1.tif, CASE_2.tif, ...        slices, as in kaggle_3m
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data_pipeline.cases.case import Case
from data_pipeline.errors import Quarantined, UserError
from data_pipeline.files import listing
from data_pipeline.formats import dataset_json, dataset_toml, modality
from data_pipeline.sources import brats, described, lgg, msd

NUMBERED = re.compile(r"(?P<case>.+)_(?P<part>\d{4})")
NAMED = re.compile(r"(?P<case>.+)[_-](?P<part>[A-Za-z0-9]+)")
LABELS = ("labelsTr", "labelsTs")  # folders that hold no scan


@dataclass(frozen=True)
class Wanted:
    """What a network asks of a scan, and which label values it was taught.

    `channels` in the order in which the network was trained; `layout` and `version` are those of
    its training data; `whole` says that it knows nothing but lesion and background.
    """

    channels: tuple[str, ...]
    layout: str
    version: str | None = None
    whole: bool = True


def find(places: Iterable[Path], wanted: Wanted, version: str | None = None) -> list[Case]:
    """Find the cases at these places; `Case.values` says how a mask's values are to be written.

    `version` is the year of BraTS scans, whose label values changed meaning.
    """
    if version and version not in brats.VERSIONS:
        raise UserError(f"There is no BraTS of {version!r}; there are {', '.join(brats.VERSIONS)}.")
    cases: dict[str, Case] = {}
    places = [*places]
    for place in filter(_is_described, places):
        cases |= {case.name: _as_taught(case, wanted) for case in described.scans(place)}
    places = [place for place in places if not _is_described(place)]
    shut: dict[Path, UserError] = {}
    for files in _groups(places, shut):
        for case in _cases(files, wanted, version):
            if case.name in cases:
                raise UserError(
                    f"{case.images[0]}: there is another scan called {case.name}, "
                    f"{cases[case.name].images[0]}; predict them into different folders."
                )
            cases[case.name] = case
    for folder, error in shut.items():
        unread = _case(folder.name, "volumes", (), (folder,), {}, problem=str(error))
        cases.setdefault(str(folder), unread)
    return sorted(cases.values(), key=lambda case: case.name)


def _is_described(place: Path) -> bool:
    return (place / dataset_toml.NAME).is_file()


def _as_taught(case: Case, wanted: Wanted) -> Case:
    return replace(case, values={0: 0, 1: 1}) if wanted.whole else case


def _groups(places: Iterable[Path], shut: dict[Path, UserError]) -> Iterator[list[Path]]:
    """Give the files of each folder together, and those that were named one by one."""
    named: dict[Path, list[Path]] = {}
    for place in places:
        if place.is_dir() and not listing.NIFTI.search(place.name):
            walked = listing.folders(place, shut=shut)
            found = [files for folder, files in walked if folder.name not in LABELS]
            if not shut and not any(is_scan(path) for files in found for path in files):
                raise UserError(f"{place}: holds no scan; expected NIfTI files or slices.")
            yield from found
        elif place.exists() and is_scan(place):
            named.setdefault(place.parent, []).append(place)
        elif place.exists():
            raise UserError(f"{place}: expected a NIfTI file or a folder; convert the scan to it.")
        else:
            raise UserError(f"{place}: there is no such file or folder.")
    yield from named.values()


def is_scan(path: Path) -> bool:
    """Tell by its name whether a file is a scan, or a slice of one, and no mask of slices."""
    slice_of = lgg.SLICE.fullmatch(path.name)
    return bool(listing.NIFTI.search(path.name) or (slice_of and not slice_of["mask"]))


def _cases(files: Sequence[Path], wanted: Wanted, version: str | None) -> Iterator[Case]:
    """Tell the cases of one folder apart by their names."""
    slices: dict[str, list[Path]] = {}
    parts: dict[str, list[tuple[str, Path]]] = {}
    for path in files:
        if (match := lgg.SLICE.fullmatch(path.name)) and not match["mask"]:
            slices.setdefault(match["case"], []).append(path)
        elif listing.NIFTI.search(path.name):
            case, part = _parted(path)
            if part != "seg":
                parts.setdefault(case, []).append((part, path))
    for name, paths in slices.items():
        yield _sliced(name, paths)
    for name, listed in parts.items():
        try:
            yield _volume(name, _once(name, listed), wanted, version)
        except Quarantined as error:
            images = tuple(path for _, path in listed)
            yield _case(name, "volumes", (), images, {}, problem=str(error))


def _sliced(name: str, paths: Sequence[Path]) -> Case:
    """Put the slices of a case into their order, or say which is there twice."""
    numbered: dict[int, Path] = {}
    problem = None
    for path in paths:
        number = int(path.stem.rsplit("_", 1)[1])
        if number in numbered:
            other = numbered[number].name
            problem = f"{path}: slice {number} is there twice, also as {other}; keep one."
        numbered[number] = path
    images = tuple(numbered[number] for number in sorted(numbered))
    return _case(name, "slices", lgg.CHANNELS, images, {0: 0, 1: 1}, problem=problem)


def _once(name: str, listed: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    """Return the files by what they hold; two that hold the same are not chosen between."""
    found: dict[str, Path] = {}
    for part, path in listed:
        for other, held in found.items():
            if not (part and other) or _same(part, other):
                raise Quarantined(
                    f"{path}: is a second {part or 'scan'} of {name}, beside {held.name}; keep one."
                )
        found[part] = path
    return found


def _same(part: str, other: str) -> bool:
    if part.isdigit() or other.isdigit():
        return part == other
    return modality.canonical(part) == modality.canonical(other)


def _parted(path: Path) -> tuple[str, str]:
    """Split a file's name into its case and what it holds: a channel, a number, or all of it."""
    stem = listing.NIFTI.sub("", path.name)
    if match := NUMBERED.fullmatch(stem):
        return match["case"], match["part"]
    match = NAMED.fullmatch(stem)
    part = match["part"].lower() if match else ""
    if match and (part == "seg" or modality.canonical(part) in modality.ALIASES):
        return match["case"], part
    return stem, ""


def _volume(name: str, found: Mapping[str, Path], wanted: Wanted, version: str | None) -> Case:
    first = next(iter(found.values()))
    content, names = _description(first.parent.parent)
    names = names or wanted.channels
    if "" in found:
        return _case(name, "stack", names, (first,), _values(content, found, wanted, version))
    if all(part.isdigit() for part in found):
        placed = {int(part): path for part, path in found.items()}
        known = {names[n]: path for n, path in placed.items() if n < len(names)}
    else:
        known = {modality.canonical(part): path for part, path in found.items()}
    values = _values(content, found, wanted, version)
    return _case(name, "volumes", tuple(known), tuple(known.values()), values)


def _case(
    name: str,
    form: str,
    channels: Sequence[str],
    images: tuple[Path, ...],
    values: Mapping[int, int],
    problem: str | None = None,
) -> Case:
    if not name or name.startswith("."):
        problem = f"{images[0]}: a scan's name begins with a letter or a number; rename it."
    return Case(
        patient=listing.patient_of(name),
        name=name,
        form=form,  # type: ignore[arg-type]
        channels=tuple(channels),
        images=images,
        masks=(),
        values=values,
        problem=problem,
    )


def of_channels(case: Case, channels: tuple[str, ...], *, fewer: bool = False) -> Case:
    """Keep the files that a network asks for, in its order; refuse a scan that lacks one.

    A network that was trained with channels missing takes `fewer`, one of them at least.
    """
    if case.problem:
        raise Quarantined(case.problem)
    missing = [name for name in channels if name not in case.channels]
    if missing and not (fewer and case.form == "volumes" and len(missing) < len(channels)):
        raise UserError(
            f"{case.images[0]}: the scan {case.name} has {', '.join(case.channels)}, and the "
            f"network asks for {', '.join(channels)}; add {', '.join(missing)}."
        )
    if case.form != "volumes":
        return case
    channels = tuple(name for name in channels if name not in missing)
    places = [case.channels.index(name) for name in channels]
    return replace(case, channels=channels, images=tuple(case.images[place] for place in places))


def _description(folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read `dataset.json` where it is there, and the channels in order."""
    path = folder / dataset_json.NAME
    try:
        content = dataset_json.read(folder) if path.exists() else {}
        keys = [key for key in ("channel_names", "modality") if key in content]
        return content, dataset_json.channels(content, keys[0], path) if keys else ()
    except (OSError, UserError) as error:
        raise Quarantined(str(error)) from error


def _values(
    content: Mapping[str, Any], found: Mapping[str, Path], wanted: Wanted, version: str | None
) -> Mapping[int, int]:
    """Say which values a mask of this scan has: those of its own data set, else those taught."""
    first = next(iter(found.values()))
    if wanted.whole:
        return {0: 0, 1: 1}
    if version:
        return brats.VALUES[version]
    if "" in found and "modality" in content and isinstance(content.get("labels"), dict):
        try:
            return msd.values_of(content["labels"], first.parent.parent / dataset_json.NAME)
        except UserError as error:
            raise Quarantined(str(error)) from error
    if brats.NEW_NAMES & found.keys():
        return brats.THREE_IS_ENHANCING
    if wanted.layout != "brats" and set(brats.CHANNELS) & found.keys():
        raise UserError(
            f"{first}: the label values of BraTS changed meaning (4: enhancing tumour until 2022, "
            "3 in 2023), and the network was trained on other data; state the year with --version."
        )
    return taught(wanted)


def taught(wanted: Wanted) -> Mapping[int, int]:
    """Return the values of a mask as the network's own training data have them."""
    if wanted.whole:
        return {0: 0, 1: 1}
    if wanted.layout == "brats":
        return brats.VALUES[wanted.version] if wanted.version else brats.THREE_IS_ENHANCING
    return msd.VALUES if wanted.layout == "msd" else {value: value for value in range(256)}
