"""What `predict` is going to write, and whether it may: known before anything is computed."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePath

from benchmarks.errors import UserError
from benchmarks.predicting.written import LIST, Folder
from data_pipeline.cases.case import Case
from data_pipeline.checking import belonging
from data_pipeline.scans import mask_files

VOLUMES = "volumes.csv"
ELSEWHERE = "choose another --out"


def names(
    case: Case,
    regions: Sequence[str] = (),
    *,
    probabilities: bool = False,
    overlays: bool = False,
    pages: bool = False,
) -> tuple[str, ...]:
    """Name the files of a case, relative to `--out`."""
    listed = list(mask_files.mask_names(case))
    for region in regions if probabilities else ():
        listed += mask_files.probability_names(case, region)
    drawn = [overlay(case)] if overlays else []
    return (*listed, *drawn, *([page(case)] if pages else []))


def overlay(case: Case) -> str:
    """Name the picture of a case."""
    return f"overlays/{case.name}.png"


def page(case: Case) -> str:
    """Name the page of a case."""
    return f"pages/{case.name}.html"


def require_free(
    folder: Folder,
    named: Mapping[str, Sequence[str]],
    places: Sequence[Path],
    cases: Sequence[Case],
) -> None:
    """Refuse a folder of scans, a data set's, or names that others' files have; `named` by case."""
    _outside_of(folder.root, places)
    owners = _owners(named)
    among = {path.resolve().parent for case in cases for path in case.images}
    _nobodys(folder, folder.root, among)
    folder.require_free(name for name in owners if name != LIST)
    for place in sorted({(folder.root / name).parent for name in owners}):
        if place.is_dir():
            _nobodys(folder, place, among)


def _nobodys(folder: Folder, place: Path, among: Collection[Path]) -> None:
    if place.resolve() in among:
        raise UserError(f"{place}: masks would lie among the scans themselves; {ELSEWHERE}.")
    if reason := belonging.reason(place, folder.own(place)):
        raise UserError(f"{place}: {reason}, where no mask is written; {ELSEWHERE}.")


def _outside_of(root: Path, places: Sequence[Path]) -> None:
    for place in places:
        if place.is_dir() and root.resolve().is_relative_to(place.resolve()):
            raise UserError(
                f"{root}: masks would lie among the scans themselves, in {place}; {ELSEWHERE}."
            )


def _owners(named: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the case of each file; refuse one that two would write, or that is a folder too."""
    owners = {LIST: "predict", VOLUMES: "predict"}
    for case, listed in named.items():
        for name in listed:
            if name in owners:
                raise UserError(
                    f"{name} would be written for {owners[name]} and for {case}; predict them into "
                    "different folders."
                )
            owners[name] = case
    for name, case in owners.items():
        if folder := next((str(p) for p in PurePath(name).parents if str(p) in owners), None):
            raise UserError(
                f"{folder} would be the mask of {owners[folder]} and a folder of {case}; predict "
                "them into different folders."
            )
    return owners
