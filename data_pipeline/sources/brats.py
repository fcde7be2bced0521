"""BraTS training folders, a folder a case, under the names of 2018 to 2022 and of 2023 and later.

    BraTS20_Training_001/BraTS20_Training_001_{flair,t1,t1ce,t2,seg}.nii[.gz]
    BraTS-GLI-00005-000/BraTS-GLI-00005-000-{t2f,t1n,t1c,t2w,seg}.nii.gz

A label file does not say what its values mean, and the years disagree: 4 was the enhancing tumour
until 2022, became 3 in 2023, and since 2024 names the resection cavity. The year is therefore the
user's to state, and where it matters nothing is guessed.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from data_pipeline.cases.case import Case, Dataset
from data_pipeline.errors import UserError
from data_pipeline.files import listing
from data_pipeline.formats import modality

TITLE = "BraTS, one folder a case"
CHANNELS = ("flair", "t1", "t1ce", "t2")
LABELS = {"background": 0, "ncr": 1, "ed": 2, "et": 3}
REGIONS = {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}
CAVITY = 4  # canonical, from 2024 on

FOUR_IS_ENHANCING = {0: 0, 1: 1, 2: 2, 4: 3}
THREE_IS_ENHANCING = {0: 0, 1: 1, 2: 2, 3: 3}
FOUR_IS_CAVITY = {0: 0, 1: 1, 2: 2, 3: 3, 4: CAVITY}
VALUES: Mapping[str, Mapping[int, int]] = {
    **dict.fromkeys(("2017", "2018", "2019", "2020", "2021", "2022"), FOUR_IS_ENHANCING),
    "2023": THREE_IS_ENHANCING,
    **dict.fromkeys(("2024", "2025"), FOUR_IS_CAVITY),
}
VERSIONS = tuple(VALUES)
FILE = re.compile(r"(?P<case>.+)[_-](?P<part>[A-Za-z0-9]+)\.nii(\.gz)?", re.IGNORECASE)
NEW_NAMES = {"t2f", "t1n", "t1c", "t2w"}
# The label of BraTS20_Training_355 kept the name under which its annotator saved it.
ALIASES = {"W39_1998.09.19_Segm.nii": "seg", "W39_1998.09.19_Segm.nii.gz": "seg"}


def detect(root: Path) -> str | None:
    """Look for a folder with at least two sequences under BraTS names."""
    for folder, entries in listing.folders(root):
        parts = _parts(entries)
        if len(parts.keys() & set(CHANNELS)) > 1:
            return f"{folder.name}/{next(iter(parts.values())).name}"
    return None


def find(root: Path, version: str | None = None) -> Dataset:
    """Find a case in each folder that holds BraTS files; `version` is the year."""
    cases: dict[str, Case] = {}
    for folder, entries in listing.folders(root):
        parts = _parts(entries)
        if not parts.keys() & {*CHANNELS, "seg"}:
            continue
        if folder.name in cases:
            raise UserError(f"{folder}: there is another case of this name; keep one of the two.")
        cases[folder.name] = _case(folder, parts, version)
    if not cases:
        raise UserError(
            f"{root}: no BraTS case found; expected CASE/CASE_flair.nii.gz or CASE-t2f.nii.gz."
        )
    cavity = VALUES.get(version or "") is FOUR_IS_CAVITY
    labels = {**LABELS, "rc": CAVITY} if cavity else LABELS
    regions = {**REGIONS, "RC": (CAVITY,)} if cavity else REGIONS
    ordered = tuple(cases[name] for name in sorted(cases))
    return Dataset("brats", root, ordered, CHANNELS, labels, regions, version)


def _parts(entries: list[Path]) -> dict[str, Path]:
    parts: dict[str, Path] = {}
    for path in entries:
        match = FILE.fullmatch(path.name)
        part = ALIASES.get(path.name) or (match["part"].lower() if match else "")
        name = part if part == "seg" else modality.canonical(part)
        if name not in {*CHANNELS, "seg"}:
            continue
        if name in parts:
            raise UserError(f"{path}: is a second {name} beside {parts[name].name}; keep one.")
        parts[name] = path
    return parts


def _case(folder: Path, parts: dict[str, Path], version: str | None) -> Case:
    missing = [name for name in (*CHANNELS, "seg") if name not in parts]
    label = parts.get("seg")
    values, remedy = _meaning(parts, version)
    alias = label and label.name in ALIASES
    return Case(
        patient=listing.patient_of(folder.name),
        name=folder.name,
        form="volumes",
        channels=CHANNELS,
        images=tuple(parts[name] for name in CHANNELS if name in parts),
        masks=(label,) if label else (),
        values=values,
        remedy=remedy,
        notes=(f"label read from {label.name}, its known wrong name",) if label and alias else (),
        problem=f"{folder}: no {', '.join(missing)} file; download the case again."
        if missing
        else None,
    )


def _meaning(parts: dict[str, Path], version: str | None) -> tuple[Mapping[int, int], str]:
    if version:
        return VALUES[version], (
            f"BraTS {version} does not define it: state the right year with --version "
            f"({', '.join(VERSIONS)}), or mend the label map."
        )
    new = any(
        FILE.fullmatch(path.name.lower())["part"] in NEW_NAMES  # type: ignore[index]
        for name, path in parts.items()
        if name != "seg"
    )
    known = THREE_IS_ENHANCING if new else {0: 0, 1: 1, 2: 2}
    return known, (
        "its meaning changed over the years (4: enhancing tumour until 2022, resection cavity "
        "since 2024; 3: enhancing since 2023), so state the year with --version."
    )
