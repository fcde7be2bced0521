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
    except (OSError, RuntimeError, ValueError) as error:  # a loop; a name that can't be one
        raise UserError(
            f"{path}: leads nowhere ({_reason(error)}); copy the file into the data set."
        ) from error
    if not target.is_relative_to(root.resolve()):
        raise UserError(f"{path}: leads out of {root} (to {target}); copy the file into the data set.")
    return path


def _reason(error: Exception) -> str:
    if isinstance(error, RuntimeError):
        return "a symbolic link to itself"
    return getattr(error, "strerror", None) or str(error)


def folders(root: Path, depth: int = DEPTH) -> Iterator[tuple[Path, list[Path]]]:
    """Walk `root` and the folders below it with their entries; one named x.nii.gz is an entry."""
    listed = entries(root, root)
    yield root, listed
    if depth > 1:
        for path in listed:
            if path.is_dir() and not NIFTI.search(path.name):
                for folder, below in folders(path, depth - 1):
                    yield folder, [inside(p, root) if p.is_symlink() else p for p in below]


def patient_of(name: str) -> str:
    """Name the patient of a case: without the examination's date (TCGA) or time point (BraTS)."""
    dated = re.fullmatch(r"(.+)_\d{8}", name)
    timed = re.fullmatch(r"(BraTS-[A-Za-z]+-\d+)-\d{3}", name)
    match = dated or timed
    return match.group(1) if match else name
