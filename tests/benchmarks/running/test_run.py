import csv
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.errors import UserError
from benchmarks.protocols.protocol import find
from benchmarks.records import atomic, record, result_paths, verify
from benchmarks.running import launch, run, settle, unfinished
from benchmarks.running.job import Job
from benchmarks.training.state import State

SUICIDE = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")


@pytest.fixture
def job(tmp_path):
    return Job("sa_unet", "smoke", results=str(tmp_path / "results"), cache=str(tmp_path / "cache"))


def slot_of(job):
    return settle.slot(job)


@pytest.fixture
def kept(monkeypatch):
    """Return the sizes of the best weights that runs had kept when they ended."""
    sizes, end = [], unfinished.Unfinished.end

    def look(self, done):
        sizes.append((self.slot.folder / unfinished.BEST).stat().st_size)
        end(self, done)

    monkeypatch.setattr(unfinished.Unfinished, "end", look)
    return sizes


def test_a_run_ends_in_a_record_that_verifies_and_a_folder_that_shows_it(job, kept):
    path = run.run(job, keep_best=True)
    done = record.read(path)
    assert done.status == "ok", done.error
    assert path == slot_of(job).path
    assert verify.mismatches(done) == []
    assert done.protocol_digest == find("smoke", "sa_unet").digest
    assert done.command.startswith("gliozoo bench sa_unet --protocol smoke")
    assert len(done.history) == done.training["epochs"] == 2
    assert done.data["n_test"] == len(done.patients)
    assert done.environment["machine"] == "box"
    assert done.cost["params"] == 18_354
    assert done.card["title"] == "SA-UNet"
    folder = result_paths.run_folder(path)
    names = {file.name for file in folder.iterdir()}
    assert {"record.json", "patients.csv", "history.csv", "curves.png"} <= names
    assert {"weights.safetensors", "overlays"} <= names
    assert not list(folder.glob("epoch-*")), "checkpoints of a finished run are of no more use"
    assert not {unfinished.FILE, unfinished.BEST} & names
    assert kept == [(folder / "weights.safetensors").stat().st_size]
    assert record.read(folder / "record.json") == done
    rows = list(csv.DictReader((folder / "patients.csv").open()))
    assert [row["patient"] for row in rows] == [row["patient"] for row in done.patients]
    pictures = list((folder / "overlays").iterdir())
    assert 1 <= len(pictures) <= 5
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in pictures)
    stamp = path.stat().st_mtime_ns
    assert run.run(job) == path
    assert path.stat().st_mtime_ns == stamp, "a finished run is not repeated"


@pytest.mark.thorough
def test_two_processes_cannot_claim_one_slot(job):
    slot = slot_of(job)
    code = (
        "import sys, json; from benchmarks.running import settle;"
        "from benchmarks.running.job import Job;"
        "\nwith settle.slot(Job(**json.loads(sys.argv[1]))).claimed(): print('claimed')"
    )
    command = [sys.executable, "-c", code, json.dumps(job.as_json())]
    with slot.claimed():
        refused = subprocess.run(command, capture_output=True, text=True)
    assert f"UserError: {slot.folder.name} is being run by process {os.getpid()} on" in (
        refused.stderr
    )
    assert subprocess.run(command, capture_output=True, text=True).stdout == "claimed\n"


def test_results_that_cannot_be_written_are_one_sentence(job, tmp_path):
    (tmp_path / "results").write_text("a file where a folder should be")
    with pytest.raises(UserError, match="Cannot write to the results folder"):
        run.run(job)


def test_a_run_that_raises_is_recorded_with_its_reason(job, monkeypatch):
    def broken(*_):
        raise MemoryError("no more\nof it")

    monkeypatch.setattr("benchmarks.running.stages.build", broken)
    done = record.read(run.run(job))
    assert done.status == "failed"
    assert done.error["kind"] == "MemoryError"
    assert done.error["message"] == "MemoryError: no more of it"
    assert "broken" in done.error["traceback"]
    assert done.data["n_test"] == 2, "what was known is kept"


def test_a_disk_that_is_full_is_one_sentence_and_no_failed_run(job, monkeypatch):
    write = atomic.write

    def full(path, content):
        if path.suffix == ".safetensors":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, content)

    monkeypatch.setattr(atomic, "write", full)
    monkeypatch.setattr(
        "benchmarks.running.stages.build", lambda *_: atomic.write(Path("w.safetensors"), b"")
    )
    with pytest.raises(UserError, match="No space left on device; free space there"):
        run.run(job)
    assert not slot_of(job).path.exists()


def test_a_read_only_results_folder_is_one_sentence(job, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    slot_of(job)  # the data are in the cache, which takes files
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UserError, match="Read-only file system; choose another one with --results"):
        run.run(job)


def test_a_users_mistake_leaves_no_record(job, tmp_path):
    wrong = Job("unet", "lgg2d", data=str(tmp_path / "nowhere"), results=job.results)
    with pytest.raises(ValueError, match="nowhere"):
        run.run(wrong)
    assert not Path(job.results).exists()


def test_a_killed_process_becomes_a_failed_record(job, monkeypatch):
    monkeypatch.setattr(launch, "command", lambda _: [sys.executable, "-c", SUICIDE])
    outcome = launch.launch(slot_of(job))
    assert outcome.code == launch.FAILED
    assert outcome.record == record.read(outcome.path)
    assert outcome.record.status == "failed"
    assert outcome.record.error["kind"] == "SIGKILL"
    assert "out of memory" in outcome.record.error["message"]


def test_a_killed_process_is_described_by_the_notes_it_left(job, monkeypatch):
    slot = slot_of(job)
    with slot.claimed():
        begun = unfinished.Unfinished.begin(slot, {"machine": "box", "backend": "tensorflow"})
        begun.note(data={"n_test": 7})
    monkeypatch.setattr(launch, "command", lambda _: [sys.executable, "-c", SUICIDE])
    found = launch.launch(slot_of(job)).record
    assert (found.environment["backend"], found.data["n_test"]) == ("tensorflow", 7)


@pytest.mark.parametrize("keep_best", [False, True])
def test_an_unfinished_run_knows_its_epochs_and_if_asked_its_best_weights(job, keep_best):
    slot = slot_of(job)
    saved = []
    rows = [{"epoch": number, "loss": 1.0, "val_loss": 1.0, "val_dice": 0.1} for number in (1, 2)]
    with slot.claimed():
        begun = unfinished.Unfinished.begin(slot, {"backend": "jax"}, keep_best=keep_best)
        begun.epoch(State(history=tuple(rows[:1]), best_epoch=1), saved.append)
        begun.epoch(State(history=tuple(rows), best_epoch=1), saved.append)
    assert unfinished.killed(slot, {}, "SIGKILL", "killed").history == rows
    assert saved == [slot.folder / unfinished.BEST] * keep_best


def test_the_command_repeats_the_run():
    assert Job("unet").command == "gliozoo bench unet"
    job = Job("unet", "lgg2d", seed=3, data="/a b", jit=False, deterministic=True, force=True)
    assert job.command == (
        "gliozoo bench unet --protocol lgg2d --seed 3 --data '/a b' --no-jit --deterministic"
    )
    assert Job(**job.as_json()) == job
