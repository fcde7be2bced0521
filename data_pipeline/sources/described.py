"""A data set of one's own, described by a `dataset.toml` in its folder: a layout without code.

    [images]                              # a pattern a modality; `*` and `?` as in a shell
    flair = "{case}/{case}_FLAIR.nii.gz"
    t1ce = "{case}/{case}_T1c.nii.gz"
    [labels]                              # label values by name; the background is 0
    edema = 1
    enhancing = 3

and before these tables `mask = "{case}/seg.nii.gz"`; `patient = '(P[0-9]+)_.*'`, whose first group
names the patient of a case; `spacing = [3.0, 0.9, 0.9]` (slice distance, row, column, in mm) where
the files state none. In place of `[images]`, `slices = "{case}/{case}_{slice}.png"` or `stack =
"{case}.nii.gz"` with `channels = ["flair"]`. `[regions]` unites labels: `WT = ["edema", "et"]`.
"""

from collections.abc import Sequence
from pathlib import Path

from data_pipeline.cases.case import Case, Dataset
from data_pipeline.errors import UserError
from data_pipeline.files import listing
from data_pipeline.formats import dataset_toml
from data_pipeline.formats.dataset_toml import Description

TITLE = "a folder with a dataset.toml"
VERSIONS: tuple[str, ...] = ()
DEPTH = 8
Files = dict[tuple[str, str, int], list[Path]]


def detect(root: Path) -> str | None:
    """Look for dataset.toml."""
    return dataset_toml.NAME if (root / dataset_toml.NAME).is_file() else None


def find(root: Path, version: str | None = None, *, place: Path | None = None) -> Dataset:
    """Find a case for each name that the patterns of the images match.

    `place` is where the dataset.toml lies, if it is not the data set's own folder.
    """
    return _found(root, dataset_toml.read(place or root))


def scans(root: Path) -> tuple[Case, ...]:
    """Find the cases likewise, to be predicted: without masks, whether there are any or none."""
    return _found(root, dataset_toml.read(root), labelled=False).cases


def _found(root: Path, described: Description, *, labelled: bool = True) -> Dataset:
    files = _matched(root, described)
    names = sorted({case for case, part, _ in files if part != dataset_toml.MASK})
    if not names:
        shown = ", ".join(described.patterns.values())
        raise UserError(
            f"{root}: no file matches the patterns of {dataset_toml.NAME} ({shown}); mend them: "
            "they begin in the folder of the data set."
        )
    parts = [part for part in described.patterns if labelled or part != dataset_toml.MASK]
    cases = tuple(_case(root, described, name, parts, files) for name in names)
    labels, regions = described.labels, described.regions
    return Dataset("described", root, cases, described.channels, labels, regions)


def _matched(root: Path, described: Description) -> Files:
    """Return the files by case, part and slice."""
    depth = 1 + max(pattern.count("/") for pattern in described.patterns.values())
    found: Files = {}
    for folder, listed in listing.folders(root, min(depth, DEPTH)):
        for path in listed:
            relative = f"{folder.relative_to(root).as_posix()}/{path.name}".removeprefix("./")
            if is_one := described.part_of(relative):
                part, match = is_one
                number = int(match.groupdict().get("slice") or 0)
                found.setdefault((match["case"], part, number), []).append(path)
    return found


def _case(
    root: Path, described: Description, name: str, parts: Sequence[str], files: Files
) -> Case:
    own = {key[1:]: files[key] for key in sorted(files) if key[0] == name and key[1] in parts}
    numbers = sorted({number for part, number in own if part != dataset_toml.MASK})
    pictures = [part for part in parts if part != dataset_toml.MASK]
    images = [own[part, n][0] for n in numbers for part in pictures if (part, n) in own]
    masks = [own[dataset_toml.MASK, n][0] for n in numbers if (dataset_toml.MASK, n) in own]
    return Case(
        patient=described.patient_of(name),
        name=name,
        form=described.form,
        channels=described.channels,
        images=tuple(images),
        masks=tuple(masks),
        values=described.values,
        remedy=f"{dataset_toml.NAME} does not define it: add it under [labels].",
        problem=_problem(root, described, name, parts, own),
        spacing=described.spacing,
    )


def _problem(
    root: Path,
    described: Description,
    name: str,
    parts: Sequence[str],
    own: dict[tuple[str, int], list[Path]],
) -> str | None:
    for (part, _), paths in own.items():
        if len(paths) > 1:
            return f"{paths[1]}: is a second {part} of {name}, beside {paths[0].name}; keep one."
    for number in sorted({number for _, number in own}):
        for part in parts:
            if (part, number) not in own:
                file = described.patterns[part].replace("{case}", name)
                file = file.replace("{slice}", str(number))
                return f"{root / file}: is missing; copy the file or remove the case."
    return None
