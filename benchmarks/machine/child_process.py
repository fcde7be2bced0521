"""Python processes of our own: they run this copy of the project and nothing that lies around.

`python -m` would put the working folder first on `sys.path`, and with it whatever is called
`zoo.py` or `json.py` there; a PYTHONPATH would put this checkout before the standard library.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PARENT = "GLIOZOO_PARENT"
_PR_SET_PDEATHSIG = 1

ROOT = Path(__file__).resolve().parents[2]

# Three packages are found by their names, whatever copies of them are installed or lie in the way.
_START = """\
import runpy, sys
from importlib.machinery import PathFinder

class Ours:
    root = sys.argv.pop(1)

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in ("zoo", "data_pipeline", "benchmarks"):
            return PathFinder.find_spec(name, [cls.root])

sys.meta_path.insert(0, Ours)
try:
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


def command(module: str, *words: str) -> list[str]:
    """Return the command line that runs a module of ours as `python -m` does, but safely."""
    return [sys.executable, "-P", "-c", _START, str(ROOT), module, *words]


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
