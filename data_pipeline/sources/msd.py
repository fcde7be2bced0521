"""Medical Segmentation Decathlon, Task01_BrainTumour: one 4D NIfTI file a case.

    dataset.json, imagesTr/BRATS_457.nii.gz (FLAIR, T1w, T1gd, T2w), labelsTr/BRATS_457.nii.gz

Its labels are those of BraTS in another order: 1 edema, 2 non-enhancing, 3 enhancing. They are
mapped by the names in dataset.json, because read as BraTS they look plausible and are wrong.
"""

from collections.abc import Mapping
from os.path import isfile  # which answers for any path
from pathlib import Path
from typing import Any

from data_pipeline.cases.case import Case, Dataset
from data_pipeline.errors import UserError
from data_pipeline.files import listing
from data_pipeline.formats import dataset_json

TITLE = "Medical Segmentation Decathlon, Task01_BrainTumour"
VERSIONS: tuple[str, ...] = ()
CHANNELS = ("flair", "t1", "t1ce", "t2")
LABELS = {"background": 0, "ncr": 1, "ed": 2, "et": 3}
REGIONS = {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}
VALUES: Mapping[int, int] = {0: 0, 1: 2, 2: 1, 3: 3}  # the file's -> the project's, as published


def detect(root: Path) -> str | None:
    """Look for dataset.json with the entries `modality` and `training`."""
    content = dataset_json.peek(root)
    if not {"modality", "training"} <= content.keys() or any(root.glob("imagesTr/*_0000.nii*")):
        return None
    return "dataset.json with 'modality' and 'training'"


def find(root: Path, version: str | None = None) -> Dataset:
    """Find the cases that dataset.json lists under `training`."""
    path = root / dataset_json.NAME
    content = dataset_json.read(root)
    values = values_of(dataset_json.require(content, "labels", dict, path), path)
    channels = dataset_json.channels(content, "modality", path)
    training = dataset_json.require(content, "training", list, path)
    dataset_json.count(content, len(training), path)
    cases = sorted((_case(root, row, channels, values) for row in training), key=lambda c: c.name)
    listed = {case.images[0].name for case in cases}
    extra = [p.name for p in listing.entries(root / "imagesTr") if p.name not in listed]
    warnings = (f"imagesTr: not in dataset.json: {', '.join(extra)}",) if extra else ()
    return Dataset("msd", root, tuple(cases), channels, LABELS, REGIONS, None, warnings)


def values_of(labels: dict[str, Any], path: Path) -> Mapping[int, int]:
    """Map the label values of a `dataset.json` to the project's, by their names."""
    values = {
        number: _meaning(name) for number, name in dataset_json.numbered(labels, path).items()
    }
    if sorted(values.values()) != [0, 1, 2, 3]:
        raise UserError(
            f"{path}: expected the labels background, edema, non-enhancing and enhancing tumour "
            f"(Task01_BrainTumour), received {dataset_json.brief(labels)}; convert the "
            "data set to the nnU-Net layout."
        )
    return values


def _meaning(name: str) -> int:
    lower = name.lower()
    if "background" in lower:
        return LABELS["background"]
    if "edema" in lower or "oedema" in lower:
        return LABELS["ed"]
    if "non" in lower or "necro" in lower:
        return LABELS["ncr"]
    return LABELS["et"] if "enhanc" in lower else -1


def _case(root: Path, row: Any, channels: tuple[str, ...], values: Mapping[int, int]) -> Case:
    if not isinstance(row, dict) or not all(
        isinstance(row.get(key), str) for key in ("image", "label")
    ):
        raise UserError(
            f"{root / dataset_json.NAME}: expected 'image' and 'label' in each entry of "
            f"'training', received {row!r:.80}; mend it."
        )
    image, label = (listing.inside(root / row[key], root) for key in ("image", "label"))
    missing = [str(path) for path in (image, label) if not isfile(path)]
    name = listing.NIFTI.sub("", image.name)
    return Case(
        patient=listing.patient_of(name),
        name=name,
        form="stack",
        channels=channels,
        images=(image,),
        masks=(label,),
        values=values,
        remedy="Task01_BrainTumour does not define it: mend the label map.",
        problem=f"{missing[0]}: is listed in dataset.json and missing; download it again."
        if missing
        else None,
    )
