"""The pages that a report links to: one for each tested patient whose scan is at hand."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.errors import USER_ERRORS, UserError
from benchmarks.viewing import page, shown_scan
from data_pipeline.cases.case import Case
from data_pipeline.files import listing
from data_pipeline.scans import mask_search, search

Masks = Mapping[str, Mapping[str, tuple[Path, ...]]]  # files by case, by the model that made them


def scans_of(patients: Iterable[str], scans: Path, version: str | None) -> dict[str, Case]:
    """Find the scans of these patients in a folder, by the names that the records call them."""
    wanted = search.Wanted(shown_scan.CHANNELS, "brats", version, whole=False)
    found = search.find([scans], wanted, version)
    named = {case.patient: case for case in found} | {case.name: case for case in found}
    known = {patient: named[patient] for patient in dict.fromkeys(patients) if patient in named}
    if not known:
        raise UserError(f"{scans}: holds the scan of no patient that was tested.")
    return known


def masks(root: Path, cases: Iterable[Case]) -> Masks:
    """Find a folder's masks of these scans: in it a folder for each model, as predict wrote it."""
    folders = [path for path in listing.entries(root) if path.is_dir()] if root.is_dir() else []
    cases = [*cases]
    found = {folder.name: mask_search.at_hand(folder, cases) for folder in folders}
    if not any(found.values()):
        raise UserError(
            f"{root}: expected a folder for each model with its masks of these scans, "
            "such as `gliozoo predict RUN SCANS --out MASKS/MODEL` writes; there is none."
        )
    return found


def write(
    folder: Path, cases: Mapping[str, Case], found: Masks
) -> Iterator[tuple[str, Path | Exception]]:
    """Write a page for each patient, and give its place, or why there is none."""
    for patient, case in cases.items():
        layers = {model: files[case.name] for model, files in found.items() if case.name in files}
        path = folder / f"{case.name}.html"
        try:
            page.write(path, page.page(shown_scan.of_case(case, layers)))
        except USER_ERRORS as error:
            yield patient, error
        else:
            yield patient, path
