"""Which folders belong to a data set, so that nothing is written into one."""

import os
from collections.abc import Container
from pathlib import Path

from data_pipeline.files import listing
from data_pipeline.formats import dataset_json, dataset_toml, modality
from data_pipeline.phantom.write import MARKER
from data_pipeline.sources import brats, lgg

PARTS = ("imagesTr", "imagesTs", "labelsTr", "labelsTs")  # of the Decathlon and of nnU-Net
LEVELS = 3  # above a folder, up to which the root of a set of case folders is looked for


def reason(folder: Path, own: Container[str] = ()) -> str | None:
    """Say why a folder is a data set's, None where it is nobody's; `own` files don't count."""
    folder = folder.resolve()
    above = (folder, *folder.parents)
    for place in above:
        if place.name in PARTS:
            return f"{place} is a data set's {place.name}"
        if (place / MARKER).is_file():
            return f"{place} is a phantom cohort"
        if _is_case(place):
            return f"{place} holds a scan with its reference"
    for name in (dataset_json.NAME, dataset_toml.NAME):
        if (folder / name).is_file():
            return f"{folder} is a data set, by its {name}"
    if scans := [name for name in _names(folder) if name not in own and is_scan(name)]:
        return f"{folder} holds scans, such as {scans[0]}"
    for place in above[: LEVELS + 1]:
        cases = sum(map(_is_case, _folders(place)))
        if cases > (place != folder):  # one case beside a new folder makes no data set
            return f"{place} holds the case folders of a data set"
    return None


def is_scan(name: str) -> bool:
    """Tell by its name whether a file is a slice, a channel of a scan or a BraTS reference."""
    return _part(name) is not None


def _is_case(folder: Path) -> bool:
    """Tell a case folder: it has its name, a scan and a reference of that name."""
    parts = {found[1] for name in _names(folder) if (found := _part(name)) and _of(found, folder)}
    return parts == {True, False}


def _of(found: tuple[str, bool], folder: Path) -> bool:
    return found[0] == folder.name


def _part(name: str) -> tuple[str, bool] | None:
    """Return the case that a file's name states, and whether it is the reference; else None."""
    if match := lgg.SLICE.fullmatch(name):
        return match["case"], bool(match["mask"])
    if match := brats.FILE.fullmatch(name):
        part = match["part"].lower()
        if part == "seg" or modality.canonical(part) in brats.CHANNELS or _numbered(part):
            return match["case"], part == "seg"
    return None


def _numbered(part: str) -> bool:
    return len(part) == 4 and part.isdigit()  # nnU-Net's channels


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _folders(place: Path) -> list[Path]:
    paths = (place / name for name in _names(place) if not name.startswith("."))
    return [path for path in paths if path.is_dir() and not listing.NIFTI.search(path.name)]
