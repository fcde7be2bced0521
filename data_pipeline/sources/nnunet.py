"""nnU-Net's raw layout: a NIfTI file a channel, labels and channels named in dataset.json.

    dataset.json, imagesTr/CASE_0000.nii.gz, imagesTr/CASE_0001.nii.gz, labelsTr/CASE.nii.gz

The label values stay as they are, with the names that dataset.json gives them; whole tumour, tumour
core and enhancing tumour are derived from those names where they allow it.
"""

import re
from pathlib import Path
from typing import Any

from data_pipeline.cases.case import Case, Dataset, Labels, Regions
from data_pipeline.errors import UserError
from data_pipeline.files import listing
from data_pipeline.formats import dataset_json

TITLE = "nnU-Net raw data set"
VERSIONS: tuple[str, ...] = ()
FILE = re.compile(r"(?P<case>.+)_(?P<channel>\d{4})\.nii(\.gz)?", re.IGNORECASE)
EDEMA = re.compile(r"o?edema|^ed$|snfh|flair")
CORE = re.compile(r"necro|^ncr$|^net$|^netc$|non[ _-]?enhanc|core")
ENHANCING = re.compile(r"(?<!non[ _-])(?<!non)enhanc|^et$")


def detect(root: Path) -> str | None:
    """Look for dataset.json beside images whose names end in a channel number."""
    content = dataset_json.peek(root)
    if "channel_names" in content:
        return "dataset.json with 'channel_names'"
    if content and any(root.glob("imagesTr/*_0000.nii*")):
        return "imagesTr/*_0000"
    return None


def find(root: Path, version: str | None = None) -> Dataset:
    """Find a case for each label and each first channel."""
    path = root / dataset_json.NAME
    content = dataset_json.read(root)
    key = "channel_names" if "channel_names" in content else "modality"
    channels = dataset_json.channels(content, key, path)
    labels, regions = meanings(dataset_json.require(content, "labels", dict, path), path)
    images: dict[str, dict[int, Path]] = {}
    for file in listing.entries(root / "imagesTr"):
        if match := FILE.fullmatch(file.name):
            images.setdefault(match["case"], {})[int(match["channel"])] = file
    masks = {
        listing.NIFTI.sub("", file.name): file
        for file in listing.entries(root / "labelsTr")
        if listing.NIFTI.search(file.name)
    }
    found = sorted(images.keys() | masks.keys())
    dataset_json.count(content, len(found), path)
    cases = [
        _case(root, name, images.get(name, {}), masks.get(name), channels, labels) for name in found
    ]
    return Dataset("nnunet", root, tuple(cases), channels, labels, regions, None)


def meanings(entry: dict[str, Any], path: Path) -> tuple[Labels, Regions]:
    """Read the labels: name to number, or name to the numbers that a region unites."""
    if any(isinstance(numbers, list) for numbers in entry.values()):
        united = {name: _numbers(numbers, path) for name, numbers in entry.items()}
        regions = {name: numbers for name, numbers in united.items() if numbers != (0,)}
        values = sorted({0, *(value for numbers in united.values() for value in numbers)})
        return {"background" if not v else f"label{v}": v for v in values}, regions
    labels = {name: number for number, name in dataset_json.numbered(entry, path).items()}
    if 0 not in labels.values() or len(labels) < 2 or not set(labels.values()) <= set(range(256)):
        raise UserError(
            f"{path}: expected labels such as {{'background': 0, 'tumour': 1}}, received "
            f"{entry!r:.80}; mend it."
        )
    return labels, _regions(labels)


def _regions(labels: Labels) -> Regions:
    foreground = {name: value for name, value in labels.items() if value}

    def values(*patterns: re.Pattern) -> tuple[int, ...]:
        named = {v for name, v in foreground.items() for p in patterns if p.search(name.lower())}
        return tuple(sorted(named))

    if values(EDEMA) and values(ENHANCING):
        whole, core = values(EDEMA, CORE, ENHANCING), values(CORE, ENHANCING)
        return {"WT": whole, "TC": core, "ET": values(ENHANCING)}
    return {name: (value,) for name, value in foreground.items()}


def _numbers(numbers: Any, path: Path) -> tuple[int, ...]:
    listed = numbers if isinstance(numbers, list) else [numbers]
    if not listed or not all(type(number) is int and 0 <= number <= 255 for number in listed):
        raise UserError(
            f"{path}: expected label numbers from 0 to 255, received {listed!r:.80}; mend them."
        )
    return tuple(sorted(listed))


def _case(
    root: Path,
    name: str,
    images: dict[int, Path],
    mask: Path | None,
    channels: tuple[str, ...],
    labels: Labels,
) -> Case:
    lacking = [f"imagesTr/{name}_{n:04d}" for n in range(len(channels)) if n not in images]
    lacking += [] if mask else [f"labelsTr/{name}"]
    return Case(
        patient=listing.patient_of(name),
        name=name,
        form="volumes",
        channels=channels,
        images=tuple(images[number] for number in sorted(images) if number < len(channels)),
        masks=(mask,) if mask else (),
        values={value: value for value in labels.values()},
        remedy="dataset.json does not define it: add it there, or mend the label map.",
        problem=f"{root / lacking[0]}: is missing; copy the file or remove the case."
        if lacking
        else None,
    )
