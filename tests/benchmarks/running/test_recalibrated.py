"""A run with statistics estimated again stands on the training of the run without."""

import pytest

from benchmarks.errors import UserError
from benchmarks.predicting import trained_network
from benchmarks.records import record, result_paths, verify
from benchmarks.running import run, settle
from benchmarks.running.job import Job
from zoo import weights


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("recalibrated")


def job(folder, *, recalibrate: bool, **asked) -> Job:
    return Job(
        "sa_unet",
        "smoke",
        results=str(folder / "results"),
        cache=str(folder / "cache"),
        recalibrate=recalibrate,
        **asked,
    )


def tensors(path):
    return weights.read(result_paths.run_folder(path) / trained_network.WEIGHTS)[1]


def test_the_same_weights_with_other_moving_statistics(folder):
    plain_path = run.run(job(folder, recalibrate=False))
    path = run.run(job(folder, recalibrate=True))
    plain, done = record.read(plain_path), record.read(path)
    assert done.status == "ok", done.error
    assert path.stem == f"{plain_path.stem}-recalibrated"
    assert done.name == "sa_unet recalibrated"
    assert "--recalibrate" in done.command
    assert verify.mismatches(done) == []
    assert done.history == plain.history, "it was not trained a second time"
    told = done.training["recalibration"]
    assert told["weights_sha256_before"] == plain.training["weights_sha256"]
    assert told["batches"] > 0
    before, after = tensors(plain_path), tensors(path)
    assert before.keys() == after.keys()
    changed = {name for name in before if (before[name] != after[name]).any()}
    assert changed == {name for name in before if "/moving_" in name}


def test_without_the_weights_of_the_other_run_it_trains_itself(folder):
    again = job(folder, recalibrate=True, seed=1)
    path = run.run(again)
    done = record.read(path)
    assert done.status == "ok", done.error
    assert len(done.history) == done.training["epochs"]
    assert not settle.slot(job(folder, recalibrate=False, seed=1)).path.exists()


def test_a_network_without_statistics_is_refused(folder):
    asked = Job("unet", "smoke", variant="plain", recalibrate=True, results=str(folder / "r"))
    with pytest.raises(UserError, match="unet has no BatchNorm"):
        run.run(asked)
