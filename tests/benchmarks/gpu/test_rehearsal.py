"""The whole way of `make gpu`, in an environment of JAX without TensorFlow, Keras from a wheel."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from benchmarks.gpu import carry, parcel
from benchmarks.machine import child_process
from benchmarks.records import record
from zoo import weights

pytestmark = pytest.mark.slow
# What a machine with JAX has.
THERE = ("jax", "numpy", "scipy", "opencv-python-headless", "pandas", "matplotlib", "rich")
THERE += ("safetensors", "h5py", "absl-py", "ml_dtypes")


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    folder = tmp_path_factory.mktemp("away") / "environment"
    venv.create(folder, with_pip=True)
    there = folder / "bin" / "python"
    quiet = ("--quiet", "--disable-pip-version-check")
    if subprocess.run([there, "-m", "pip", "install", *quiet, *THERE]).returncode:
        pytest.skip("no package index to make an environment from")
    return there


def test_trainings_and_profiles_come_home(python, tmp_path):
    checkout, home = tmp_path / "checkout", tmp_path / "home"
    for name in ("benchmarks", "data_pipeline", "zoo"):
        ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(child_process.ROOT / name, checkout / name, ignore=ignored)
    carry.wheels(checkout / "carry/wheels", f"{sys.version_info.major}.{sys.version_info.minor}")

    def call(*words):
        clean = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
        command = [python, "-m", "benchmarks.gpu", "run", "--rehearse", "--machine", "box", *words]
        return subprocess.run(command, cwd=checkout, env=clean, capture_output=True, text=True)

    planned = call("--dry-run")
    assert "all train together, and are timed" in planned.stdout
    assert not (checkout / "cache").exists()

    done = call("--minutes", "9", "--out", "parcel")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "0 of 6 tasks are outstanding."
    assert parcel.unpack([checkout / "parcel"], home)
    records = [record.read(path) for path in sorted(home.glob("box/*.json"))]
    assert [one.run["model"] for one in records] == ["sa_unet", "unet"]
    assert {one.environment["backend"] for one in records} == {"jax"}
    for path in home.glob("box/*.json"):
        assert weights.read(home / "box/runs" / path.stem / parcel.HALF)
    profiles = [json.loads(path.read_text()) for path in home.glob("box/profiles/*.json")]
    assert len(profiles) == 4
    assert all(0 < one["mfu"] < 1 and one["train_step_ms"] for one in profiles)
    log = Path(home / "box/log.txt").read_text()
    assert "epoch 2/2" in log

    again = call("--minutes", "1", "--out", "next")
    assert again.stdout.splitlines()[-1] == "0 of 6 tasks are outstanding."
