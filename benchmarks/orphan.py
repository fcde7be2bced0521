"""Processes that end with their parent: a run whose parent was killed must not hold its slot."""

import ctypes
import os
import signal
import sys

PARENT = "GLIOZOO_PARENT"
_PR_SET_PDEATHSIG = 1


def adopt() -> dict[str, str]:
    """Return what the environment of a child says of its parent, which is this process."""
    return {PARENT: str(os.getpid())}


def follow_parent() -> None:
    """Ask the kernel to kill this process when the one that started it ends; Linux alone can.

    SIGKILL, because a native library may keep Python from ever seeing another signal.
    """
    parent = os.environ.pop(PARENT, None)
    if parent is None or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGKILL)  # it ended before it could be asked for
