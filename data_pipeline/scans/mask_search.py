"""Masks that another tool made, found by the names of the cases that they are of.

CASE.nii.gz, CASE_seg.nii.gz, CASE-seg.nii.gz       a volume, as nnU-Net and BraTS name it
SLICE.png, SLICE_mask.png, SLICE.tif, ...           slices, each named as its image
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from data_pipeline.cases.case import Case
from data_pipeline.errors import UserError
from data_pipeline.files import listing

NAMED = 3  # cases that a sentence names
SEGMENTED = re.compile(r"[_-]seg$", re.IGNORECASE)
PICTURE = re.compile(r"(?P<slice>.+?)(_mask)?\.(tiff?|png)", re.IGNORECASE)


def find(root: Path, cases: Iterable[Case]) -> Mapping[str, tuple[Path, ...]]:
    """Return the mask files of each case; refuse a folder where one is missing or there twice."""
    if not root.is_dir():
        raise UserError(f"{root}: expected the folder of the masks; there is none.")
    cases = [*cases]
    found = at_hand(root, cases)
    _require_all(root, [case for case in cases if case.name not in found], len(found))
    return found


def at_hand(root: Path, cases: Iterable[Case]) -> Mapping[str, tuple[Path, ...]]:
    """Return the mask files of those cases that have them in a folder, whole."""
    volumes, pictures = _listed(root)
    found = {}
    for case in cases:
        if case.form == "slices":
            files = tuple(pictures[path.stem] for path in case.images if path.stem in pictures)
            whole = len(files) == len(case.images)
        else:
            files = tuple(volumes[name] for name in _names(case) if name in volumes)[:1]
            whole = bool(files)
        if whole:
            found[case.name] = files
    return found


def _names(case: Case) -> tuple[str, ...]:
    """Return what a mask of a case may be called: as the case, or as its single file."""
    return case.name, listing.NIFTI.sub("", case.images[0].name)


def _listed(root: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    volumes: dict[str, Path] = {}
    pictures: dict[str, Path] = {}
    for _, files in listing.folders(root):
        for path in files:
            if listing.NIFTI.search(path.name):
                _once(volumes, SEGMENTED.sub("", listing.NIFTI.sub("", path.name)), path)
            elif match := PICTURE.fullmatch(path.name):
                _once(pictures, match["slice"], path)
    return volumes, pictures


def _once(found: dict[str, Path], name: str, path: Path) -> None:
    if name in found:
        raise UserError(f"{path}: is a second mask of {name}, beside {found[name]}; keep one.")
    found[name] = path


def _require_all(root: Path, missing: list[Case], found: int) -> None:
    if not missing:
        return
    first = missing[0]
    wanted = (
        f"{first.images[0].stem}_mask.png" if first.form == "slices" else f"{first.name}.nii.gz"
    )
    names = ", ".join(case.name for case in missing[:NAMED])
    more = f" and {len(missing) - NAMED} more" if missing[NAMED:] else ""
    raise UserError(
        f"{root}: {len(missing)} of {len(missing) + found} test cases have no mask ({names}{more});"
        f" expected files such as {wanted}."
    )
