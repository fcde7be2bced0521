"""`gliozoo doctor` as a user runs it, also where what it looks for is missing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.doctor import finding, folders, hardware, requirements, software
from benchmarks.doctor.requirements import Requirement
from data_pipeline.files import locks

ROOT = Path(__file__).parents[3]
WITHOUT = """
import sys
for name in {missing!r}:
    sys.modules[name] = None
from importlib import metadata, util
found, spec = metadata.version, util.find_spec
def version(name):
    if name in {missing!r}: raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
util.find_spec = lambda name, *rest: None if name in {missing!r} else spec(name, *rest)
from benchmarks.__main__ import main
code = main({argv!r})
loaded = {{name for name, module in sys.modules.items() if module}}
assert not {{"keras", "tensorflow", "numpy", "torch"}} & loaded
sys.exit(code)
"""


def doctor(folder, *missing, argv=("doctor", "--json"), **environment):
    code = WITHOUT.format(missing=missing, argv=list(argv))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GLIOZOO_HOME": str(folder), **environment},
    )


def findings(done):
    return {one["name"]: one for one in json.loads(done.stdout)["findings"]}


def test_a_sound_machine_is_told_in_a_second_without_keras(tmp_path):
    began = time.monotonic()
    done = doctor(tmp_path)
    assert time.monotonic() - began < 10, "a second where nobody else works"
    assert done.returncode == 0, done.stderr + done.stdout
    found = findings(done)
    assert found["keras"]["status"] == "fine"
    assert json.loads(done.stdout)["ok"] is True
    assert all(one["remedy"] for one in found.values() if one["status"] != "fine")


@pytest.mark.parametrize("missing", ["keras", "numpy"])
def test_a_package_that_every_run_needs_is_broken_with_its_command(tmp_path, missing):
    done = doctor(tmp_path, missing)
    assert done.returncode == 1
    found = findings(done)[missing]
    assert (found["status"], found["found"]) == ("broken", "missing")
    assert found["remedy"].startswith(f"pip install '{missing}>=")


def test_without_any_backend_the_backend_is_broken(tmp_path):
    done = doctor(tmp_path, "tensorflow", "jax", "torch", KERAS_BACKEND="")
    assert done.returncode == 1
    assert findings(done)["backend"]["remedy"] == "pip install tensorflow"


def test_another_backend_stands_in_for_tensorflow(monkeypatch):
    one = Requirement("tensorflow", ((">=", "99"),))
    monkeypatch.setattr(software.device, "installed", lambda name: name == "torch")
    assert software._package(one).status == finding.NOTE
    monkeypatch.setattr(software.device, "installed", lambda name: False)
    assert software._package(one).status == finding.BROKEN


def test_bounds_are_read_as_pip_reads_them():
    (one,) = requirements._parsed("tensorflow[and-cuda]>=2.20,<2.22", "gpu")
    assert one == Requirement("tensorflow", ((">=", "2.20"), ("<", "2.22")), "gpu")
    (marked,) = requirements._parsed('jax>=0.6; extra == "jax"', "jax")
    assert marked.wanted == ">=0.6"
    assert requirements.numbers("2.13.0+cpu") == (2, 13, 0)
    assert requirements.numbers("") == ()
    assert Requirement("numpy", ((">=", "2"), ("!=", "1.0"))).within
    assert not Requirement("numpy", (("<", "2"),)).within
    assert not Requirement("no-such-package", ((">=", "1"),)).within


def test_checkout_and_metadata_ask_for_the_same():
    names = {one.name for one in requirements.all_of_them() if one.extra is None}
    assert {"keras", "numpy", "filelock"} <= names


def test_quotas_of_both_kinds_of_control_groups(tmp_path):
    second, first = tmp_path / "cpu.max", tmp_path / "cpu"
    assert hardware.quota((second, first)) is None
    first.mkdir()
    (first / "cpu.cfs_quota_us").write_text("150000\n")
    (first / "cpu.cfs_period_us").write_text("100000\n")
    assert hardware.quota((second, first)) == 1.5
    second.write_text("max 100000\n")
    assert hardware.quota((second, first)) is None
    second.write_text("200000 100000\n")
    assert hardware.quota((second, first)) == 2


def test_a_gpu_that_is_hidden_is_told_why(monkeypatch):
    monkeypatch.setattr(hardware.environment, "gpu_count", lambda: 1)
    monkeypatch.setattr(hardware.environment, "driver", lambda: "550")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert hardware._gpus().remedy == "unset CUDA_VISIBLE_DEVICES"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(hardware, "distributions", list)
    assert hardware._gpus().remedy == "pip install 'gliozoo[gpu]'"


def test_clean_removes_stores_and_fetched_weights_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GLIOZOO_CACHE", raising=False)
    for name in ("store", "busy"):
        (tmp_path / "cache" / "stores" / name).mkdir(parents=True)
        index = {"cases": [], "key": name, "preparation": {}}
        (tmp_path / "cache" / "stores" / name / "index.json").write_text(json.dumps(index))
    (tmp_path / "cache" / "stores" / "mine").mkdir()
    (tmp_path / "cache" / "stores" / "mine" / "thesis.txt").write_text("years of work")
    fetched = tmp_path / "home" / "weights" / "fetched" / "unet.lgg.safetensors"
    fetched.parent.mkdir(parents=True)
    fetched.write_bytes(b"0" * 100)
    with locks.held(tmp_path / "cache" / "stores" / "busy.lock"):
        gone, kept = folders.clean()
    assert [path.name for path in gone] == ["store", "unet.lgg.safetensors"]
    assert [path.name for path in kept] == ["busy"]
    assert (tmp_path / "cache" / "stores" / "mine" / "thesis.txt").read_text() == "years of work"
    assert main(["doctor", "--clean"]) in (0, 1)
    told = capsys.readouterr()
    assert "removed cache/stores/busy" in told.err
    assert "fine" in told.out.splitlines()[-1]


def test_a_folder_that_cannot_be_written_is_broken(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path / "file"))
    (found,) = [one for one in folders.findings() if one.name == "weights"]
    assert (found.status, found.remedy) == ("broken", "set GLIOZOO_HOME to a folder of yours")


def test_the_version_names_what_results_depend_on(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith("gliozoo 0.")
    assert "keras 3." in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_options_and_names(shell, capsys):
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("profile", "mod_r2au", "lgg2d", "require-gpu"))


def test_completion_without_shtab_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert "pip install 'gliozoo[completion]'" in capsys.readouterr().err
