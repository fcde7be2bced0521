"""A folder written whole: aside, then in the place of an earlier one that holds nothing else."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data_pipeline.errors import UserError
from data_pipeline.files import locks, whole_files

UNFINISHED = ".unfinished"  # in a folder that is being written, and in what a kill left of one
LISTED = "files"  # the marker's entry with the path of every file


def require_replaceable(root: Path, marker: str) -> None:
    """Refuse a folder that holds anything which its marker does not list."""
    if not root.exists():
        return
    if not root.is_dir():
        raise UserError(f"{root}: expected a folder to write to, found a file; name another one.")
    found = leaves(root)
    if not found:
        return
    content = whole_files.read_json(root / marker)
    ours = isinstance(content, dict) and content.get("gliozoo") == "phantom"
    listed = content.get(LISTED) if ours else None
    known = (
        {path for path in listed if isinstance(path, str)} if isinstance(listed, list) else set()
    )
    others = sorted(found - known - {marker, UNFINISHED})
    if others:
        raise UserError(
            f"{root}: expected an empty folder or an earlier phantom cohort whose {marker} lists "
            f"its files; it holds {others[0]}{' and others' * (len(others) > 1)}, which would be "
            "lost: name another folder."
        )


def leaves(root: Path) -> set[str]:
    """Name all that lies in a folder, empty folders and links among it, from that folder on."""
    found = set()
    for place, folders, names in os.walk(root, onerror=_fail):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        found |= {(here / name).relative_to(root).as_posix() for name in (*names, *links)}
        if here != root and not folders and not names:
            found.add(here.relative_to(root).as_posix())
    return found


def _fail(error: OSError) -> None:
    raise error


@contextmanager
def written(root: Path, marker: str) -> Iterator[Path]:
    """Give a folder to write to; it takes the place of `root` once the block has ended well."""
    root.parent.mkdir(parents=True, exist_ok=True)
    _clear(root)
    aside = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        with _held(aside):
            (aside / UNFINISHED).touch()
            yield aside
            aside.chmod(0o755)
            require_replaceable(root, marker)
            _empty(root, marker)
            os.replace(aside, root)
            (root / UNFINISHED).unlink()
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _empty(root: Path, marker: str) -> None:
    """Remove the files of an earlier cohort one by one, its marker last."""
    if not root.exists():
        return
    for path in sorted(leaves(root), key=lambda path: path == marker):
        (root / path).unlink()
    for place, _, _ in os.walk(root, topdown=False):
        if Path(place) != root:
            os.rmdir(place)


def _clear(root: Path) -> None:
    """Remove what killed processes left beside `root`; what another one is writing is locked."""
    name = re.compile(re.escape(f".{root.name}-") + r"[a-z0-9_]{8}")
    for path in root.parent.iterdir():
        if name.fullmatch(path.name) and (path / UNFINISHED).is_file() and not path.is_symlink():
            with suppress(OSError, locks.TakenError), _held(path):
                shutil.rmtree(path)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes, by a lock beside it that is gone afterwards."""
    lock = folder.with_name(f"{folder.name}.lock")
    with locks.held(lock, locks.AT_ONCE):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)  # before it is free: no process makes this name again
