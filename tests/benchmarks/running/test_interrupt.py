"""SIGINT to `bench`, and to it alone: it ends within seconds, and its run with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# A parent whose run does as `CHILD` says, and that says when the run is under way.
BENCH = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as whatever a script starts behind its `&`
from benchmarks.running import launch
launch.GRACE = {grace}
launch.command = lambda job: [sys.executable, "-c", {child!r}]
from benchmarks.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
OBEDIENT = "import time; print('ready', flush=True); time.sleep(99)"
# As where a native library compiles: Python never sees the signal.
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN);" + OBEDIENT


def bench(tmp_path, child, grace):
    code = BENCH.format(child=child, grace=grace)
    words = ["bench", "unet", "--protocol", "smoke", "--results", str(tmp_path)]
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env=os.environ | {"GLIOZOO_MACHINE": "box", "GLIOZOO_CACHE": str(tmp_path / "cache")},
        stderr=subprocess.PIPE,
        text=True,
    )


def children(process):
    mark = f"GLIOZOO_PARENT={process.pid}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [path.parent.name] if mark in path.read_bytes().split(b"\0") else []
        except OSError:
            continue
    return found


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes under /proc")
@pytest.mark.parametrize(
    ("child", "grace"), [(OBEDIENT, 999), (DEAF, 0.5)], ids=["obedient", "deaf"]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_bench_takes_its_run_along(tmp_path, child, grace, number):
    process = bench(tmp_path, child, grace)
    assert process.stderr.readline() == "ready\n"
    assert len(children(process)) == 1
    process.send_signal(number)
    _, told = process.communicate(timeout=90)
    assert told.splitlines()[-1] == "gliozoo: interrupted; the same command goes on from here."
    assert process.returncode == 130
    assert not children(process)
    assert not list(tmp_path.glob("box/*.json")), "it is no failed run"


def test_a_second_interrupt_does_not_wait(tmp_path):
    process = bench(tmp_path, DEAF, 999)
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=90)
    assert not children(process)
