"""The labels that lie beside a scan, where its layout puts them, and what a mask's values mean."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.cases.case import Case, Dataset
from data_pipeline.errors import UserError
from data_pipeline.files import listing
from data_pipeline.formats import dataset_json, dataset_toml
from data_pipeline.sources import brats, described, lgg, nnunet

IMAGES, LABELS = "images", "labels"  # imagesTr beside labelsTr, as in the Decathlon and nnU-Net


@dataclass(frozen=True)
class Meaning:
    """Which of the project's values a mask's values are, and the regions that unite them."""

    values: Mapping[int, int]
    regions: Mapping[str, tuple[int, ...]]  # the widest first
    remedy: str = ""  # what to do about a value that is not in `values`


WHOLE = Meaning({value: min(value, 1) for value in range(256)}, lgg.REGIONS)


def meaning(case: Case) -> Meaning:
    """Read what masks mean off the data set's own description, or off the scan's file names."""
    if own := _described(case):
        return Meaning(case.values, own.regions, case.remedy)
    if case.form == "slices":
        return WHOLE
    folder = case.images[0].parent.parent
    content = dataset_json.peek(folder)
    if "channel_names" in content and isinstance(content.get("labels"), dict):
        labels, regions = nnunet.meanings(content["labels"], folder / dataset_json.NAME)
        return Meaning({value: value for value in labels.values()}, regions)
    cavity = {"RC": (brats.CAVITY,)} if brats.CAVITY in case.values.values() else {}
    remedy = f"state the year of BraTS with --version ({', '.join(brats.VERSIONS)})."
    return Meaning(case.values, brats.REGIONS | cavity, remedy)


def beside(case: Case) -> tuple[Path, ...]:
    """Return the files of a scan's own labels, or none where there are none, or only some."""
    if own := _described(case):
        (labelled,) = (one for one in own.cases if one.name == case.name)
        return () if labelled.problem else labelled.masks
    if case.form == "slices":
        masks = tuple(path.with_stem(f"{path.stem}_mask") for path in case.images)
        return masks if all(mask.is_file() for mask in masks) else ()
    folder = case.images[0].parent
    if folder.name.startswith(IMAGES):
        folder = folder.with_name(folder.name.replace(IMAGES, LABELS, 1))
        names = {case.name}
    else:
        names = {f"{case.name}_seg", f"{case.name}-seg"}
    listed = listing.entries(folder) if folder.is_dir() else []
    nifti = (path for path in listed if listing.NIFTI.search(path.name))
    return tuple(path for path in nifti if listing.NIFTI.sub("", path.name) in names)[:1]


def _described(case: Case) -> Dataset | None:
    """Return the data set whose dataset.toml names this very scan, if there is one."""
    for root in list(case.images[0].parents)[: described.DEPTH]:
        if (root / dataset_toml.NAME).is_file():
            with suppress(UserError):  # whoever looks for scans there says why
                found = described.find(root)
                if any(case.images == one.images for one in found.cases):
                    return found
    return None
