"""Files that are whole or absent: written aside, flushed to the disk, renamed; and told apart."""

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_pipeline.files import locks

# A pipe is opened without waiting, and no end of line is turned, where a system knows of either.
_TO_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
LARGEST_DOCUMENT = 64 << 20  # bytes of a JSON or CSV file; a hundred thousand cases take a tenth


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that a kill at any instant leaves the old one or the new one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def writable(folder: Path) -> bool:
    """Whether a folder can be written to, or made: asked before hours of work, writing nothing."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document whole, with sorted keys."""
    write_whole(path, (json.dumps(value, sort_keys=True, indent=1) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON document, or None where it is absent, torn or out of reach."""
    try:
        return parsed(contents(path))
    except (OSError, ValueError):
        return None


def contents(path: Path) -> bytes:
    """Read a document; a pipe, a device, a folder or an endless file is an `OSError` at once."""
    descriptor = os.open(path, _TO_READ)
    with open(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "not an ordinary file", str(path))
        if state.st_size > LARGEST_DOCUMENT:
            raise OSError(errno.EFBIG, f"more than {LARGEST_DOCUMENT >> 20} MB", str(path))
        return file.read()


def parsed(document: bytes) -> Any:
    """Read JSON, with or without a mark of its encoding; whatever is wrong is a `ValueError`."""
    try:
        return json.loads(document.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the system frees it if its holder is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with locks.held(path):
        yield
