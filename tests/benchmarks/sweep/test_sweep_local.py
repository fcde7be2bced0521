"""The local engine, over processes that pretend to be runs: what they get, and how they end."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import closing

import fabricate
import pytest

from benchmarks.errors import UserError
from benchmarks.machine import resources
from benchmarks.records import record, result_paths
from benchmarks.running import launch, settle
from benchmarks.running.job import Job
from benchmarks.sweep import plan
from benchmarks.sweep.engines import local, processes

# A process that notes when it ran and with what, and leaves the record that it was given.
RUN = textwrap.dedent(
    """
    import json, os, pathlib, sys, time
    order = json.loads(sys.argv[1])
    began = time.time()
    time.sleep(order["seconds"])
    path = pathlib.Path(order["path"])
    told = {"began": began, "ended": time.time(), "environment": dict(os.environ)}
    path.with_suffix(".told").write_text(json.dumps(told))
    print(order["says"])
    if order["code"] in (0, 1):
        path.write_text(order["record"])
    os.kill(os.getpid(), -order["code"]) if order["code"] < 0 else sys.exit(order["code"])
    """
)


@pytest.fixture
def pretended(monkeypatch, tmp_path):
    """Return a maker of slots whose processes do nothing; `orders` says how each seed's ends."""
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    fabricate.no_data(monkeypatch)
    orders = {}

    def command(job):
        slot = settle.slot(job)
        order = {"seconds": 0, "code": 0, "says": "", **orders.get(job.seed, {})}
        status = "failed" if order["code"] == 1 else "ok"
        made = fabricate.a_record(job.model, machine="box", status=status)
        made = dataclasses.replace(made, run=slot.run, protocol_digest=slot.protocol.digest)
        order |= {"path": str(slot.path), "record": record.to_json(made)}
        return [sys.executable, "-c", RUN, json.dumps(order)]

    monkeypatch.setattr(launch, "command", command)
    pattern = Job("", "smoke", results=str(tmp_path / "results"))
    return (lambda seeds: plan.make(pattern, "unet", seeds, "0").waiting), orders


def told(slot):
    return json.loads(slot.path.with_suffix(".told").read_text())


def overlapping(slots):
    """Return the largest number of runs that ran at one time."""
    spans = [told(slot) for slot in slots]
    return max(sum(s["began"] <= t["began"] < s["ended"] for s in spans) for t in spans)


def test_runs_go_side_by_side_but_never_more_than_asked_for(pretended):
    slots_for, orders = pretended
    orders.update({seed: {"seconds": 0.3} for seed in range(5)})
    slots = slots_for("0-4")
    outcomes = list(local.Local(jobs=2).run(slots))
    assert {outcome.job for outcome in outcomes} == {slot.job for slot in slots}
    assert all(outcome.code == launch.FINE and outcome.record for outcome in outcomes)
    assert overlapping(slots) == 2


def test_a_run_that_fails_is_killed_or_is_refused_leaves_the_others_alone(pretended):
    slots_for, orders = pretended
    orders[0] = {"code": 1}
    orders[1] = {"code": -int(signal.SIGKILL)}
    orders[2] = {"code": 2, "says": "gliozoo: no such folder"}
    slots = slots_for("0-3")
    by_seed = {outcome.job.seed: outcome for outcome in local.Local().run(slots)}
    assert [by_seed[seed].code for seed in range(4)] == [1, 1, 2, 0]
    assert by_seed[1].record.error["kind"] == "SIGKILL"
    assert record.read(slots[1].path) == by_seed[1].record
    assert by_seed[2].record is None
    assert processes.last_words(slots[2].folder) == "no such folder"


def test_one_run_has_the_whole_machine(pretended):
    slots_for, _ = pretended
    (slot,) = slots_for("0")
    before = {name: os.environ.get(name) for name in resources.VARIABLES}
    list(local.Local(jobs=1).run([slot]))
    assert {name: told(slot)["environment"].get(name) for name in resources.VARIABLES} == before


def test_two_runs_share_the_threads(pretended, monkeypatch):
    slots_for, _ = pretended
    monkeypatch.setattr("benchmarks.machine.environment.cores", lambda: 5)
    slots = slots_for("0-1")
    list(local.Local(jobs=2).run(slots))
    for slot in slots:
        environment = told(slot)["environment"]
        assert {environment[name] for name in resources.VARIABLES} == {"2"}


def test_threads_that_were_asked_for_are_given(pretended):
    slots_for, _ = pretended
    (slot,) = slots_for("0")
    list(local.Local(jobs=1, threads=3).run([slot]))
    assert told(slot)["environment"]["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize(
    ("visible", "found", "used"),
    [(None, 2, {"0", "1"}), ("3,5", 8, {"3", "5"}), ("", 2, {""}), ("4", 8, {"4"})],
)
def test_every_run_has_a_gpu_of_its_own(pretended, monkeypatch, visible, found, used):
    slots_for, orders = pretended
    monkeypatch.setattr("benchmarks.machine.environment.gpu_count", lambda: found)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    orders.update({seed: {"seconds": 0.2} for seed in range(2)})
    slots = slots_for("0-1")
    list(local.Local(jobs=2).run(slots))
    assert {told(slot)["environment"]["CUDA_VISIBLE_DEVICES"] for slot in slots} == used


def test_a_run_on_two_devices_has_two_gpus_and_a_shared_one_is_divided(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    own = [dict(place.environment) for place in local.places(2, 1, devices=2)]
    assert [one["CUDA_VISIBLE_DEVICES"] for one in own] == ["0,1", "2,3"]
    assert not any("XLA_PYTHON_CLIENT_MEM_FRACTION" in one for one in own)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    shared = [dict(place.environment) for place in local.places(2, 1)]
    assert [one["CUDA_VISIBLE_DEVICES"] for one in shared] == ["7", "7"]
    assert {one["XLA_PYTHON_CLIENT_MEM_FRACTION"] for one in shared} == {"0.450"}


def test_leaving_early_interrupts_what_runs_and_starts_nothing_more(pretended):
    slots_for, orders = pretended
    orders[1] = orders[2] = {"seconds": 60}
    slots = slots_for("0-3")
    began = time.monotonic()
    with closing(local.Local(jobs=3).run(slots)) as outcomes:
        assert next(outcomes).job.seed == 0
        next(outcomes)  # seed 3 took the place of seed 0: the other two are under way
    assert time.monotonic() - began < 30
    assert not slots[1].path.exists()
    assert not slots[2].path.exists()


@pytest.mark.parametrize(("jobs", "threads"), [(0, None), (2, 0)])
def test_less_than_one_is_one_sentence(jobs, threads):
    with pytest.raises(UserError, match="Expected --jobs and --threads of 1 or more"):
        local.Local(jobs, threads)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a child of its parent")
def test_a_run_ends_with_a_parent_that_is_killed(tmp_path):
    child = (
        "from benchmarks.machine import orphan; orphan.follow_parent();"
        "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    )
    parent = (
        "import os, subprocess, sys; from benchmarks.machine import orphan;"
        f"subprocess.run([sys.executable, '-c', {child!r}], env=os.environ | orphan.adopt())"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()  # the child is there
    process.kill()
    process.communicate(timeout=30)  # the pipe is closed only when the child has ended too


def test_the_run_folder_is_where_the_log_lies(pretended):
    slots_for, orders = pretended
    orders[0] = {"says": "hello"}
    (slot,) = slots_for("0")
    list(local.Local().run([slot]))
    assert (result_paths.run_folder(slot.path) / processes.LOG).read_text() == "hello\n"
