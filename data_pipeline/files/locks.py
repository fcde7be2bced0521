"""Locks between processes, on every system; it frees them itself if their holder is killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AT_ONCE, FOR_EVER = 0, -1


class TakenError(Exception):
    """Another process holds the lock."""


@contextmanager
def held(path: Path, wait: float = FOR_EVER) -> Iterator[None]:
    """Hold the lock of this file, waiting for it at most so many seconds.

    What a file says of its holder is to stand in another one: Windows lets nobody read this one.
    """
    import filelock

    lock = filelock.FileLock(path, timeout=wait)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise TakenError(str(path)) from error
    try:
        yield
    finally:
        lock.release()
