"""How much memory the reading of scans may take, and who has how much of it at the moment.

Half of what this process is given: the machine's memory, or less where a control group says so.
Whoever reads a scan asks first, by what the scan's header announces; threads wait for one another,
and what exceeds the whole share is refused before a byte of it is allocated.
"""

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from data_pipeline.errors import UserError

SHARE = 0.5
UNKNOWN = 8 << 30  # bytes of a machine that doesn't say how many it has
GROUPS = Path("/sys/fs/cgroup")
_turns = threading.Condition()
_taken = 0


@cache
def share() -> int:
    """Count the bytes that all scans read at once may take."""
    return int(SHARE * given())


def given() -> int:
    """Count the bytes of memory that this process is given."""
    return min([_machine(), *_limits(Path("/proc/self/cgroup"), GROUPS)])


def _machine() -> int:
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    kibibytes = ctypes.c_ulonglong()
    windows = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
    windows.GetPhysicallyInstalledSystemMemory(ctypes.byref(kibibytes))
    return kibibytes.value << 10 or UNKNOWN


def _limits(membership: Path, groups: Path) -> Iterator[int]:
    """Give the limits of the control groups that this process is in, of both versions."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        group = groups / controllers / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(groups):
                yield from _number(folder / name)


def _number(path: Path) -> Iterator[int]:
    try:
        yield int(path.read_text())
    except (OSError, ValueError):  # not there; "max"
        return


def require(needed: int, name: str) -> None:
    """Refuse a scan that takes more than the whole share."""
    if needed > share():
        raise UserError(
            f"{name}: to read it takes {needed / 2**30:.3g} GiB, more than the "
            f"{share() / 2**30:.3g} GiB that are half of this machine's memory or of this "
            "process's limit; export smaller scans, or read it where there is more."
        )


@contextmanager
def room(needed: int, name: str) -> Iterator[None]:
    """Hold so many bytes of the share, once others have left enough of it."""
    global _taken
    require(needed, name)
    with _turns:
        _turns.wait_for(lambda: _taken + needed <= share())
        _taken += needed
    try:
        yield
    finally:
        with _turns:
            _taken -= needed
            _turns.notify_all()
