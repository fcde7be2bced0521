"""What lies in a folder: in one order everywhere, without hidden files, links followed."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from data_pipeline.errors import UserError

NIFTI = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
DEPTH = 4  # BraTS 2018: root / training / HGG / case


def entries(folder: Path) -> list[Path]:
    """List a folder sorted by name; links are followed, one that leads back up is refused."""
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
            _no_loop(Path(entry.path))
    return [Path(entry.path) for entry in visible]


def _no_loop(link: Path) -> None:
    """Refuse a link to a folder that it lies in; one to a file or to nowhere is its reader's."""
    try:
        target = link.resolve()
    except (RuntimeError, OSError):  # a link to itself leads nowhere
        return
    if target.is_dir() and link.parent.resolve().is_relative_to(target):
        raise UserError(f"{link}: is a link back to {target}, which it lies in; remove it.")


def nowhere(path: Path) -> str | None:
    """Say of a link that leads nowhere what to do; None of anything else."""
    if not path.is_symlink() or os.path.exists(path):
        return None
    return (
        f"{path}: is a link that leads nowhere (to {os.readlink(path)}); fetch what it stands for "
        "(git annex get, datalad get), or mend it."
    )


def inside(path: Path, root: Path) -> Path:
    """Give back a path that a file of the data set names if, as it is written, it stays there."""
    try:
        os.fspath(path).encode()
        written = Path(os.path.normpath(path))
        if "\0" in os.fspath(path):
            raise ValueError("embedded null byte")
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: can't be a path ({error}); mend the name.") from error
    if not written.is_relative_to(Path(os.path.normpath(root))):
        raise UserError(
            f"{path}: leads out of {root} (to {written}); copy the file into the data set."
        )
    return path


def folders(
    root: Path, depth: int = DEPTH, shut: dict[Path, UserError] | None = None
) -> Iterator[tuple[Path, list[Path]]]:
    """Walk `root` and the folders below it with their entries; one named x.nii.gz is an entry.

    A folder that can't be opened is refused, or, where `shut` is given, noted there.
    """
    try:
        listed = entries(root)
    except UserError as error:
        if shut is None:
            raise
        shut[root] = error
        return
    yield root, listed
    if depth > 1:
        for path in listed:
            if path.is_dir() and not NIFTI.search(path.name):
                yield from folders(path, depth - 1, shut)


def patient_of(name: str) -> str:
    """Name the patient of a case: without the examination's date (TCGA) or time point (BraTS)."""
    dated = re.fullmatch(r"(.+)_\d{8}", name)
    timed = re.fullmatch(r"(BraTS-[A-Za-z]+-\d+)-\d{3}", name)
    match = dated or timed
    return match.group(1) if match else name
