"""Files that are whole or absent: written aside, flushed to the disk, renamed; and told apart."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document whole, with sorted keys."""
    write_whole(path, (json.dumps(value, sort_keys=True, indent=1) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON document, or None where it is absent or torn."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def sha256(path: Path) -> str:
    """Digest a file's bytes without holding them."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: Any, length: int = 16) -> str:
    """Digest a JSON-able value, independent of the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def stamp(path: Path) -> list[int] | None:
    """Give what changes whenever a file's bytes are touched (even if its date is set back)."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the system frees it if its holder is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
