"""What only some systems have is asked for nowhere else, or only where it is there."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
POSIX = {"fcntl", "grp", "pty", "pwd", "resource", "termios"}
ONLY_SOME = {"pread", "pwrite", "O_NOFOLLOW", "O_NONBLOCK", "sched_getaffinity", "sysconf"}
ASKED_FIRST = {  # modules that look whether it is there
    "benchmarks/backends/meters.py",
    "benchmarks/machine/environment.py",
    "data_pipeline/files/memory_share.py",
    "data_pipeline/files/processors.py",
}
HIDDEN = """
import os, sys
import filelock
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios"):
    sys.modules[name] = None
for name in ("pread", "pwrite", "sched_getaffinity"):
    delattr(os, name)
"""


def sources():
    for package in ("zoo", "data_pipeline", "benchmarks"):
        for path in (ROOT / package).rglob("*.py"):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_no_module_needs_what_windows_lacks():
    for name, tree in sources():
        if name in ASKED_FIRST:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert not POSIX & {alias.name for alias in node.names}, name
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert not (node.value.id == "os" and node.attr in ONLY_SOME), name


@pytest.mark.usefixtures("keras_elsewhere")
def test_data_and_a_run_go_without_what_windows_lacks(tmp_path):
    """A run from phantoms to its record, and its prediction, in a process without any of it."""
    code = HIDDEN + (
        "from benchmarks.__main__ import main\n"
        "from benchmarks.cost import timing\n"
        "from benchmarks.running import run\n"
        "from benchmarks.running.job import Job\n"
        "assert main(['data', 'phantom', 'scans', '--layout', 'lgg', '--patients', '3',"
        " '--size', '32']) == 0\n"
        "timing.IN_A_RUN, timing.MATRIX_SIDE['cpu'] = 0.0, 256\n"
        "path = run.run(Job('unet', 'smoke', results='results'))\n"
        "folder = path.parent / 'runs' / path.stem\n"
        "assert main(['predict', str(folder), 'scans', '--out', 'masks']) == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=here()
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "masks").iterdir())) >= 3


def here():
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT)}
