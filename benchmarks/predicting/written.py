"""The folder that `predict` writes into: it replaces what it wrote itself, and nothing else.

`predicted.jsonl` in that folder has a line for each file, with the SHA-256 of its content, that is
on the disk before the file is; so a file is predict's own exactly if its content is listed, and one
that somebody has mended by hand is not.
"""

import errno
import json
import os
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.records import atomic
from data_pipeline.files import locks

LIST = "predicted.jsonl"
FIRST = {"gliozoo": "predict", "format": 1}
LOCK = f".{LIST}.lock"
_TO_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT
_TO_APPEND |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)  # where there are such


class Folder:
    """A folder to write into, and which of its files are ours."""

    def __init__(self, root: Path):
        self.root = root
        self._list = root / LIST
        if root.exists() and not root.is_dir():
            raise UserError(f"{root}: expected a folder for --out, and it is a file.")
        self._known = self._read()

    def own(self, folder: Path) -> Collection[str]:
        """Return the names of the files in a folder that predict wrote."""
        below = (self.root / name for name in self._known)
        return {path.name for path in below if path.parent == folder} | {LIST, LOCK}

    def require_free(self, names: Iterable[str]) -> None:
        """Refuse the first name that leaves the folder, or belongs to a file of somebody else's."""
        for name in names:
            path = self.root / name
            if not path.parent.resolve().is_relative_to(self.root.resolve()):
                raise UserError(f"{path}: would lie outside of {self.root}; rename the scan.")
            if os.path.lexists(path) and not self._is_own(name):
                raise UserError(
                    f"{path}: predict did not write this file as it is, and never replaces such a "
                    "one; move it, or choose another --out."
                )

    def begin(self) -> None:
        """Make the folder and its list, before the work that is to fill it."""
        self._append([])

    def write(self, files: Mapping[str, bytes]) -> None:
        """List files, then write them, each whole or not at all."""
        self.require_free(files)
        rows = [(name, sha256(content).hexdigest()) for name, content in files.items()]
        self._append([{"name": name, "sha256": digest} for name, digest in rows])
        for name, digest in rows:
            self._known.setdefault(name, set()).add(digest)
        for name, content in files.items():
            atomic.write_out(self.root / name, content)

    def _append(self, rows: list[dict[str, Any]]) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with locks.held(self.root / LOCK):  # one process after the other
                handle = os.open(self._list, _TO_APPEND, 0o644)
                with FileIO(handle, "a+b") as file:
                    _add(file, rows)
        except OSError as error:
            raise UserError(
                f"Cannot write {self._list}: {error.strerror or error}; free space there or choose "
                "another place with --out."
            ) from error

    def _is_own(self, name: str) -> bool:
        path = self.root / name
        if path.is_symlink() or not path.is_file():
            return False
        found = sha256(path.read_bytes()).hexdigest()
        return found in self._known.get(name, ()) or found in self._read().get(name, ())

    def _read(self) -> dict[str, set[str]]:
        """Read the list; a line that is not whole is none."""
        known: dict[str, set[str]] = {}
        try:
            first, *lines = self._list.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return known
        except OSError as error:
            raise UserError(f"Cannot read {self._list}: {error.strerror or error}.") from error
        if _row(first) != FIRST and (first or lines):
            raise UserError(f"{self._list}: is no list of predict's; choose another --out.")
        for row in map(_row, lines):
            if isinstance(row.get("name"), str) and isinstance(row.get("sha256"), str):
                known.setdefault(row["name"], set()).add(row["sha256"])
        return known


def _add(file: FileIO, rows: list[dict[str, Any]]) -> None:
    """Append whole lines or nothing."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    torn = size and file.read(1) != b"\n"  # by a kill or a power cut
    try:
        lines = "".join(json.dumps(row) + "\n" for row in (rows if size else [FIRST, *rows]))
        lines = "\n" * bool(torn) + lines
        if file.write(lines.encode()) < len(lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file)
    except OSError:
        file.truncate(size)
        raise


def _row(line: str) -> dict:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}
