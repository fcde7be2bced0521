"""The path of Slurm on submitit's local executor: the job is told to go, and is queued again."""

import math
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from benchmarks.errors import UserError
from benchmarks.records import record
from benchmarks.running import launch
from benchmarks.running.job import Job
from benchmarks.sweep import plan
from benchmarks.sweep.engines import local
from benchmarks.sweep.engines.cluster_needs import Needs
from benchmarks.sweep.engines.on_slurm import FOLDER, OnSlurm, Queue

pytest.importorskip("submitit")


def send_away(results: Path, folder: Path) -> None:
    """Tell the job of a run what Slurm tells it when its time is up, once it has trained a bit."""
    while not list(folder.glob("epoch-*.safetensors")):
        time.sleep(0.02)
    (submitted,) = (results / FOLDER).glob("*_submitted.pkl")
    controller = submitted.name.removesuffix("_submitted.pkl")
    children = Path(f"/proc/{controller}/task/{controller}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGUSR2)


@pytest.mark.slow
def test_a_job_whose_time_is_up_ends_as_the_undisturbed_one(tmp_path, monkeypatch):
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")
    monkeypatch.setenv("GLIOZOO_CACHE", str(tmp_path / "cache"))
    pattern = Job("", "smoke", deterministic=True, threads=1)

    def slots(folder):
        job = Job(**{**pattern.as_json(), "results": str(tmp_path / folder)})
        return plan.make(job, "sa_unet", "0", "0").waiting

    (expected,) = local.Local().run(slots("local"))
    results = tmp_path / "slurm"
    waiting = slots("slurm")
    engine = OnSlurm(Needs(), Queue(cluster="local"), str(results))
    warner = threading.Thread(target=send_away, args=(results, waiting[0].folder), daemon=True)
    warner.start()
    (outcome,) = engine.run(waiting)
    warner.join()
    (log,) = (results / FOLDER).glob("*_log.out")
    assert "Requeued job" in log.read_text()
    assert outcome.code == expected.code == launch.FINE
    assert outcome.record == record.read(waiting[0].path)
    assert outcome.record.patients == expected.record.patients
    assert outcome.record.quality == expected.record.quality
    weights = [one.record.training["weights_sha256"] for one in (outcome, expected)]
    assert weights[0] == weights[1]


def test_a_job_that_dies_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")
    monkeypatch.setattr("benchmarks.sweep.engines.on_slurm.Node", lambda: math.sqrt)  # raises
    slots = plan.make(Job("", "smoke", results=str(tmp_path)), "unet", "0", "0").waiting
    (outcome,) = OnSlurm(Needs(), Queue(cluster="local"), str(tmp_path)).run(slots)
    assert outcome.code == launch.FAILED
    (log,) = (tmp_path / FOLDER).glob("*_log.err")
    assert f"ended without a result, see {log}" in outcome.record.error["message"]
    assert "must be real number, not Job" in log.read_text()
    assert record.read(slots[0].path) == outcome.record


@pytest.mark.parametrize(
    ("needs", "queue", "sentence"),
    [
        (Needs(), Queue(), "there is no sbatch here"),
        (Needs(gpus=0.5), Queue(cluster="local"), "Slurm gives whole GPUs"),
    ],
)
def test_what_slurm_cannot_do_is_one_sentence(needs, queue, sentence, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UserError, match=sentence):
        OnSlurm(needs, queue, str(tmp_path))
