"""What lies in a folder: in one order everywhere, without hidden files, and never outside of it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from data_pipeline.errors import UserError

NIFTI = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
DEPTH = 4  # BraTS 2018: root / training / HGG / case


def entries(folder: Path, root: Path) -> list[Path]:
    """List a folder sorted by name; a link that leaves `root` is refused."""
    try:
        with os.scandir(folder) as found:
            visible = sorted(
                (entry for entry in found if not entry.name.startswith(".")), key=lambda e: e.name
            )
    except OSError as error:
        raise UserError(
            f"{folder}: can't be opened ({error.strerror}); make the folder readable, or move it "
            "out of the data set."
        ) from error
    for entry in visible:
        if entry.is_symlink():
            inside(Path(entry.path), root)
    return [Path(entry.path) for entry in visible]


def inside(path: Path, root: Path) -> Path:
    """Give the path back if it stays under `root`, whatever links and dots it holds."""
    try:
        target = path.resolve()
    except RuntimeError:  # a link to itself leads nowhere, and whoever reads it says so
        return path
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: can't be a path ({error}); mend the name.") from error
    if not target.is_relative_to(root.resolve()):
        raise UserError(
            f"{path}: leads out of {root} (to {target}); copy the file into the data set."
        )
    return path


def folders(
    root: Path, depth: int = DEPTH, shut: dict[Path, UserError] | None = None
) -> Iterator[tuple[Path, list[Path]]]:
    """Walk `root` and the folders below it with their entries; one named x.nii.gz is an entry.

    A folder that can't be opened is refused, or, where `shut` is given, noted there.
    """
    try:
        listed = entries(root, root)
    except UserError as error:
        if shut is None:
            raise
        shut[root] = error
        return
    yield root, listed
    if depth > 1:
        for path in listed:
            if path.is_dir() and not NIFTI.search(path.name):
                for folder, below in folders(path, depth - 1, shut):
                    yield folder, [inside(p, root) if p.is_symlink() else p for p in below]


def patient_of(name: str) -> str:
    """Name the patient of a case: without the examination's date (TCGA) or time point (BraTS)."""
    dated = re.fullmatch(r"(.+)_\d{8}", name)
    timed = re.fullmatch(r"(BraTS-[A-Za-z]+-\d+)-\d{3}", name)
    match = dated or timed
    return match.group(1) if match else name
