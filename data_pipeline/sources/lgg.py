"""TCGA lower-grade glioma (Buda, Saha, Mazurowski 2019): `kaggle_3m`, a folder a patient.

    kaggle_3m/TCGA_CS_4941_19960909/TCGA_CS_4941_19960909_7.tif        256 x 256 x 3, 8 bit
    kaggle_3m/TCGA_CS_4941_19960909/TCGA_CS_4941_19960909_7_mask.tif   0 and 255
    kaggle_3m/data.csv                                                 one row a patient

Red, green and blue are the sequences before contrast, FLAIR and after contrast. Where one was not
acquired, its channel repeats FLAIR. The mask is the FLAIR abnormality.
"""

import csv
import re
from io import StringIO
from pathlib import Path

from data_pipeline.cases.case import Case, Dataset
from data_pipeline.errors import UserError
from data_pipeline.files import listing, whole_files

TITLE = "TCGA lower-grade glioma, kaggle_3m"
VERSIONS: tuple[str, ...] = ()
CHANNELS = ("t1", "flair", "t1ce")
LABELS = {"background": 0, "tumour": 1}
REGIONS = {"tumour": (1,)}
SLICE = re.compile(r"(?P<case>.+)_(?P<number>\d+)(?P<mask>_mask)?\.(tiff?|png)", re.IGNORECASE)


def detect(root: Path) -> str | None:
    """Look for a folder that holds a slice and its mask."""
    for _, entries in listing.folders(root):
        masks = [
            path for path in entries if (match := SLICE.fullmatch(path.name)) and match["mask"]
        ]
        if masks:
            return f"{masks[0].parent.name}/{masks[0].name}"
    return None


def find(root: Path, version: str | None = None) -> Dataset:
    """Find a case in each folder that holds numbered slices."""
    cases: dict[str, Case] = {}
    for folder, entries in listing.folders(root):
        case = _case(folder, [path for path in entries if SLICE.fullmatch(path.name)])
        if case is None or case.name in cases:
            if case and cases[case.name].images[0].parent != folder:
                _refuse_twice(cases[case.name].images[0].parent, folder)
            continue
        cases[case.name] = case
    if not cases:
        raise UserError(
            f"{root}: no slices found; expected kaggle_3m/CASE/CASE_1.tif and CASE_1_mask.tif."
        )
    ordered = tuple(cases[name] for name in sorted(cases))
    warnings = _without_facts(root, ordered)
    return Dataset("lgg", root, ordered, CHANNELS, LABELS, REGIONS, None, warnings)


def _case(folder: Path, files: list[Path]) -> Case | None:
    images: dict[int, Path] = {}
    masks: dict[int, Path] = {}
    for path in files:
        match = SLICE.fullmatch(path.name)
        assert match
        side = masks if match["mask"] else images
        number = int(match["number"])
        if number in side:
            raise UserError(
                f"{path}: slice {number} is there twice, also as {side[number].name}; keep one."
            )
        side[number] = path
    if not files:
        return None
    numbers = sorted(images.keys() & masks.keys())
    return Case(
        patient=listing.patient_of(folder.name),
        name=folder.name,
        form="slices",
        channels=CHANNELS,
        images=tuple(images[number] for number in numbers),
        masks=tuple(masks[number] for number in numbers),
        values={0: 0, 1: 1},
        notes=_gaps(numbers),
        problem=_unpaired(images, masks),
    )


def _unpaired(images: dict[int, Path], masks: dict[int, Path]) -> str | None:
    for number in sorted(images.keys() ^ masks.keys()):
        there = images.get(number) or masks[number]
        stem = there.stem.removesuffix("_mask")
        lacking = there.with_stem(stem if number in masks else f"{stem}_mask")
        return f"{lacking}: is missing beside {there.name}; copy or download it again."
    return None


def _gaps(numbers: list[int]) -> tuple[str, ...]:
    if not numbers or numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return ()
    return (
        f"its slice numbers have gaps: {len(numbers)} slices from {numbers[0]} to {numbers[-1]}",
    )


def _refuse_twice(first: Path, second: Path) -> None:
    raise UserError(f"{second}: this case is also in {first}; keep one of the two folders.")


def _without_facts(root: Path, cases: tuple[Case, ...]) -> tuple[str, ...]:
    tables = [
        path for folder in {root, root / "kaggle_3m"} if (path := folder / "data.csv").is_file()
    ]
    if not tables:
        return ()
    try:
        text = whole_files.contents(tables[0]).decode("utf-8-sig", errors="replace")
        rows = list(csv.DictReader(StringIO(text, newline="")))
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        return (f"{tables[0].name}: can't be read ({reason}), so no patient was looked up in it",)
    if not any("Patient" in row for row in rows):
        return (f"{tables[0].name}: has no column Patient, so no patient was looked up in it",)
    lacking = sorted({case.patient for case in cases} - {row["Patient"] for row in rows})
    return (f"{tables[0].name}: no row for {', '.join(lacking)}",) if lacking else ()
