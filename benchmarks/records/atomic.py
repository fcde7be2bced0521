"""Write a file whole or not at all."""

import os
import tempfile
from pathlib import Path

from benchmarks.errors import UserError


def write(path: Path, content: bytes) -> None:
    """Write beside `path`, flush to the disk, rename: a reader sees the old or the new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(
        prefix=f".{path.stem[:40]}.", suffix=".tmp", dir=path.parent
    )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut; Windows opens no folder."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_out(path: Path, content: bytes) -> None:
    """Write what the user asked for; a full disk or a forbidden folder is one sentence."""
    try:
        write(path, content)
    except OSError as error:
        raise UserError(
            f"Cannot write {path}: {error.strerror or error}; free space there or choose another "
            "place with --out."
        ) from error
