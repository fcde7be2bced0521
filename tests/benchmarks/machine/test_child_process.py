"""Processes of our own, started where somebody has laid traps: nothing of the folder runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.machine import child_process
from benchmarks.running.job import Job

NAMES = ("zoo", "data_pipeline", "numpy", "json", "runpy", "sitecustomize", "keras", "cv2")
TRAP = "import pathlib; pathlib.Path({!r}).touch()\n"
GLIOZOO = Path(sys.executable).parent / "gliozoo"


@pytest.fixture
def trap(tmp_path):
    """Return a folder whose modules leave a trace when they are run."""
    folder = tmp_path / "here"
    trace = TRAP.format(str(tmp_path / "trapped"))
    for package in ("benchmarks", "keras"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text(trace)
    for name in NAMES:
        (folder / f"{name}.py").write_text(trace)
    return folder


def run(command, folder, **environment):
    settings = os.environ | {"GLIOZOO_MACHINE": "box"} | environment
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True)


def test_a_child_runs_nothing_that_lies_in_the_working_folder(trap):
    refused = json.dumps(Job("unte").as_json())
    done = run(child_process.command("benchmarks.running.launch", refused), trap)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'unet'?" in done.stderr
    assert not (trap.parent / "trapped").exists()


def test_a_child_imports_this_copy_though_another_is_installed_before_it(trap, tmp_path):
    other = tmp_path / "site"
    for name in ("zoo", "data_pipeline", "benchmarks"):
        (other / name).mkdir(parents=True)
        (other / name / "__init__.py").write_text("raise SystemExit('the other copy')")
    done = run(child_process.command("benchmarks", "list", "--json"), trap, PYTHONPATH=str(other))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_a_child_that_is_interrupted_says_nothing(trap):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(60)"
    command = child_process.command("benchmarks", "list")
    command[command.index("-c") + 1] = command[command.index("-c") + 1].replace(
        "try:", f"try:\n    {code}"
    )
    done = run(command, trap)
    assert (done.returncode, done.stderr) == (130, "")


def test_nobody_else_starts_an_interpreter():
    """What measures, `make perf`, runs from a checkout that its user has chosen."""
    files = [
        path
        for name in ("zoo", "data_pipeline", "benchmarks")
        for path in (child_process.ROOT / name).rglob("*.py")
    ]
    found = {path.name for path in files if "sys.executable" in path.read_text()}
    assert found == {"child_process.py", "carry.py"}


@pytest.mark.slow
def test_bench_and_profile_run_nothing_that_lies_in_the_working_folder(trap):
    cache = str(trap.parent / "cache")
    words = ("sa_unet", "--protocol", "smoke", "--deterministic")
    done = run([GLIOZOO, "bench", *words], trap, GLIOZOO_CACHE=cache)
    assert done.returncode == 0, done.stderr
    words = ("sa_unet", "--input-shape", "32,32,3", "--width", "0.125", "--seconds", "0.1")
    done = run([GLIOZOO, "profile", *words], trap)
    assert done.returncode == 0, done.stderr
    assert "peak memory" in done.stdout
    assert not (trap.parent / "trapped").exists()
