"""What a sweep shows while it runs: read from the folders, drawn as a table or told in lines."""

import io
import os
import time
from dataclasses import replace

import fabricate
import pytest
from rich.console import Console

from benchmarks.records import record
from benchmarks.running import launch
from benchmarks.running.job import Job
from benchmarks.running.launch import Outcome
from benchmarks.running.slot import HOLDER
from benchmarks.sweep import announcements, plan, watch
from benchmarks.sweep.plan import Plan
from benchmarks.sweep.status import Standing
from benchmarks.training import history


@pytest.fixture
def slots(tmp_path, monkeypatch):
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")
    fabricate.no_data(monkeypatch)
    pattern = Job("", "smoke", results=str(tmp_path))
    made = plan.make(pattern, "unet,sa_unet", "0-1", "0").waiting
    for slot in made:
        slot.folder.mkdir(parents=True)
    return made


def claim(slot, since=0.0):
    (slot.folder / HOLDER).write_text("process 1")
    os.utime(slot.folder / HOLDER, (time.time() + since,) * 2)


def train(slot, epochs, since=0.0):
    rows = [{"epoch": epoch, "val_dice": 0.1 * epoch} for epoch in range(1, epochs + 1)]
    history.write(slot.folder, rows)
    os.utime(slot.folder / history.FILE, (time.time() + since,) * 2)


def seen(standing):
    return [(s.slot.job.model, s.slot.job.seed, s.epoch, s.dice) for s in standing.running(2)]


def test_what_runs_is_seen_in_its_folder_with_epoch_and_dice(slots):
    standing = Standing.of(Plan(slots))
    assert seen(standing) == []
    claim(slots[0], since=1)
    claim(slots[1], since=1)
    train(slots[1], 2, since=1)
    assert seen(standing) == [("unet", 0, 0, None), ("sa_unet", 0, 2, pytest.approx(0.2))]


def test_what_earlier_attempts_left_is_not_taken_for_life(slots):
    standing = Standing.of(Plan(slots))
    claim(slots[0], since=-60)
    train(slots[0], 2, since=-60)
    assert seen(standing) == []
    claim(slots[0], since=1)
    assert seen(standing) == [("unet", 0, 0, None)], "its old epochs are another attempt's"


def test_sums_follow_what_ends(slots):
    standing = Standing.of(Plan(slots[1:], ((slots[0], slots[0].path),)))
    assert announcements.sums(standing, 0) == "3 queued, 0 running, 1 done (1 before), 0 failed"
    done = Outcome(slots[1].job, launch.FINE, slots[1].path, fabricate.a_record())
    failed = replace(done, job=slots[2].job, code=launch.FAILED)
    standing = standing.after(done).after(failed)
    told = announcements.sums(standing, 1)
    assert told.startswith("0 queued, 1 running, 2 done (1 before), 1 failed, about ")
    standing = standing.after(Outcome(slots[3].job, launch.USER, slots[3].path, None))
    assert announcements.sums(standing, 0) == "0 queued, 0 running, 2 done (1 before), 2 failed"
    assert [outcome.job for outcome in standing.refused] == [slots[3].job]


def test_what_is_left_goes_by_the_pace_so_far_and_shrinks_while_nothing_ends(slots):
    now = time.time()
    standing = Standing.of(Plan(slots))
    assert standing.seconds_left() is None
    done = Outcome(slots[0].job, launch.FINE, slots[0].path, fabricate.a_record())
    standing = replace(standing.after(done), began=now - 130, moved=now - 30)
    assert standing.seconds_left() == pytest.approx(3 * 100 - 30, abs=5)
    late = replace(standing, began=now - 1000, moved=now - 950)
    assert late.seconds_left() == 0.0


def test_the_table_shows_a_line_a_run(slots):
    standing = Standing.of(Plan(slots))
    claim(slots[0], since=1)
    train(slots[0], 1, since=1)
    console = Console(file=io.StringIO(), width=80)
    console.print(watch._table(standing, standing.running(2)))
    heading, run, sums = console.file.getvalue().splitlines()
    assert heading.split() == ["running", "epoch", "Dice"]
    assert run.split()[:4] == ["unet", "s0", "f0", "1/2"]
    assert run.split()[-1] == "0.100"
    assert sums.rstrip() == "3 queued, 1 running, 0 done, 0 failed"


def test_where_there_is_no_terminal_lines_tell_of_it_now_and_then(slots, monkeypatch):
    monkeypatch.setattr(watch, "REMIND", 0.05)
    told = io.StringIO()
    with watch.Watch(Plan(slots), 2, file=told):
        claim(slots[0], since=1)
        train(slots[0], 1, since=1)
        while "epoch" not in told.getvalue():
            time.sleep(0.01)
    line = next(line for line in told.getvalue().splitlines() if "epoch" in line)
    assert line == "3 queued, 1 running, 0 done, 0 failed: unet s0 f0 epoch 1/2 Dice 0.100"


def test_an_ending_says_what_became_of_a_run(slots):
    slot = slots[0]
    fine = fabricate.a_record(training={"seconds": 12.0})
    path = record.write(fine, slot.job.results)
    told = announcements.ending(Outcome(slot.job, launch.FINE, path, fine))
    assert told == "unet s0 f0: Dice 0.800, trained 12 s"
    told = announcements.ending(Outcome(slot.job, launch.INTERRUPTED, path, None))
    assert told == "unet s0 f0: interrupted, to be gone on with"
    told = announcements.ending(Outcome(slot.job, launch.USER, slot.path, None))
    assert told == "unet s0 f0: not run: it left no log"
