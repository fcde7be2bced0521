"""`make gpu`: what is done is skipped, what is cut short is not done, what is packed comes back."""

import json
import os
import sys
from dataclasses import replace

import fabricate
import pytest

import zoo
from benchmarks.errors import UserError
from benchmarks.gpu import carry, parcel, pieces, tasks
from benchmarks.gpu.tasks import Task
from benchmarks.records import record


def words(code):
    return Task(f"run {code}", ("-c", code), "profiles/x.json", prints=True)


@pytest.fixture(autouse=True)
def plain_python(monkeypatch):
    """Let tasks be lines of Python, not of the command line."""
    monkeypatch.setattr(Task, "command", property(lambda self: [sys.executable, *self.arguments]))


def run(tmp_path, *several, seconds=60.0):
    return pieces.run(several, tmp_path, "box", seconds, None)


def test_what_a_task_prints_is_its_file_and_says_that_it_is_done(tmp_path):
    task = words("print('{}')")
    assert not task.done(tmp_path / "results")
    assert run(tmp_path, task) == 0
    assert task.done(tmp_path / "results")
    assert tasks.outstanding([task], tmp_path / "results") == []


def test_a_task_that_fails_is_counted_and_leaves_no_file(tmp_path, capsys):
    task = words("raise SystemExit('no GPU')")
    assert run(tmp_path, task, words("print('{}')")) == 1
    assert "failed: run raise" in capsys.readouterr().out
    assert "no GPU" in (tmp_path / "log.txt").read_text()


def test_a_task_is_interrupted_at_the_end_of_the_piece(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pieces, "LEAST", 0.5)
    waits = words("import time; time.sleep(600); print('{}')")
    assert run(tmp_path, waits, words("print('{}')"), seconds=3) == 0
    told = capsys.readouterr().out
    assert "cut short: run import time" in told
    assert "the same command goes on" in told
    assert not waits.done(tmp_path / "results")


def test_the_list_has_every_profile_and_every_training():
    every = tasks.tasks(tasks.Plan(), "data")
    names = [task.name for task in every]
    assert len(names) == len(set(names))
    assert "profile unet3d-128x128x128x4-b1-jax-mixed_bfloat16" in names
    trained = [name for name in names if name.startswith("train")]
    assert len(trained) == len([name for name in zoo.names() if 2 in zoo.card(name).ranks])
    assert trained.index("train sa_unet") < trained.index("train unet")
    assert trained[-1] == "train ar2_unet"


def test_a_training_counts_as_done_where_its_record_lies(tmp_path):
    made = fabricate.a_record("unet")
    task = next(t for t in tasks.tasks(tasks.Plan(), "data") if t.name == "train unet")
    from benchmarks.protocols import protocol

    settled = protocol.find("lgg2d", "unet")
    run = {**made.run, "protocol": "lgg2d", "backend": "jax", "precision": "mixed_bfloat16"}
    record.write(replace(made, run=run, protocol_digest=settled.digest), tmp_path)
    assert task.done(tmp_path)


def test_weights_come_home_in_parts_over_several_calls(tmp_path, monkeypatch):
    monkeypatch.setattr(parcel, "PART", 1000)
    monkeypatch.setattr(parcel, "FILES", 4)
    weights = os.urandom(5500)
    away, home = tmp_path / "away", tmp_path / "home"
    folder = away / "box" / "runs" / "unet-lgg2d-0123-s0"
    folder.mkdir(parents=True)
    (folder / parcel.WEIGHTS).write_bytes(weights)
    (folder / "picture.png").write_bytes(b"a patient")
    (away / "box" / "unet-lgg2d-0123-s0.json").write_text("{}")
    calls = [tmp_path / f"call{number}" for number in range(3)]
    counts = [len(parcel.pack(away, call)) for call in calls]
    assert counts == [4, 4, 1]  # six parts, three a call beside the archive
    assert "3 of 6" in parcel.unpack(calls[:1], home)[-1]
    assert parcel.unpack(calls, home)[-1].endswith("weights whole")
    assert (home / "box/runs/unet-lgg2d-0123-s0" / parcel.WEIGHTS).read_bytes() == weights
    assert json.loads((home / "box/unet-lgg2d-0123-s0.json").read_text()) == {}
    assert not list(home.rglob("*.png"))


def test_records_travel_in_parts_and_are_there_when_all_have_come(tmp_path, monkeypatch):
    monkeypatch.setattr(carry, "PART", 1000)
    store = tmp_path / "store"
    (store / "0123").mkdir(parents=True)
    (store / "0123" / "records.bin").write_bytes(os.urandom(2500))
    carry.records(store, tmp_path / "carry")
    parts = sorted((tmp_path / "carry").glob("*.part"))
    assert len(parts) == 3
    hidden = parts[1].rename(tmp_path / "later")
    assert not carry.unpack(tmp_path / "carry", tmp_path / "data")
    hidden.rename(parts[1])
    assert carry.unpack(tmp_path / "carry", tmp_path / "data")
    assert (tmp_path / "data/0123/records.bin").read_bytes() == (
        store / "0123" / "records.bin"
    ).read_bytes()


def test_a_file_that_is_no_part_is_refused(tmp_path):
    (tmp_path / "else.part").write_bytes(b"")
    with pytest.raises(UserError, match="no part that `make gpu`"):
        parcel.joined(tmp_path.glob("*.part"))


def test_a_python_that_lacks_something_is_told_so_in_one_sentence(monkeypatch):
    monkeypatch.setattr(carry, "NEEDED", ("numpy", "no_such_library"))
    with pytest.raises(UserError, match=r"lacks no_such_library: bring wheels"):
        carry.require("numpy", None)
