"""What a run is: its data belong to it, and what could not be run is refused before it is done."""

import errno
import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import fabricate
import pytest

from benchmarks.__main__ import main
from benchmarks.errors import USER_ERRORS, UserError
from benchmarks.records import record, result_paths
from benchmarks.running import launch, run, settle, stages, unfinished
from benchmarks.running.job import Job
from benchmarks.running.slot import Slot
from benchmarks.sweep import plan
from data_pipeline.files import whole_files
from data_pipeline.identity import Identity
from data_pipeline.phantom import write

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return the folders of two cohorts."""
    folder = tmp_path_factory.mktemp("data")
    return [write.write(folder / name, "brats", 8, 32, seed) for seed, name in enumerate("AB")]


@pytest.fixture
def job(tmp_path, monkeypatch, data):
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")
    monkeypatch.setenv("GLIOZOO_CACHE", str(data[0].parent / "cache"))
    return Job("unet", "smoke", data=str(data[0]), results=str(tmp_path / "results"))


def finish(slot, path=None, **changes):
    made = fabricate.a_record(
        slot.job.model,
        machine="box",
        run=slot.run,
        protocol_digest=slot.protocol.digest,
        training={"seconds": 1.0},
        **{"data": slot.data.as_json(), **changes},
    )
    return record.write_to(path or slot.path, made)


def test_two_data_sets_are_two_runs(job, data):
    first, second = (settle.slot(replace(job, data=str(folder))) for folder in data)
    assert first.path != second.path
    assert first.folder != second.folder
    finish(first)
    assert first.finished()
    assert second.finished() is None
    assert plan.make(replace(job, data=str(data[1])), "unet", "0", "0").done == ()
    assert finish(second) != first.path
    assert first.finished()


def test_the_same_data_elsewhere_are_the_same_run(job, data, tmp_path):
    copy = shutil.copytree(data[0], tmp_path / "copy")
    assert settle.slot(replace(job, data=str(copy))).path == settle.slot(job).path


def test_another_split_of_the_same_data_is_another_run(job):
    slot = settle.slot(job)
    other = replace(slot, data=replace(slot.data, split_digest="leaky-0123456789abcdef"))
    finish(slot)
    assert other.path.stem == slot.path.stem.replace(slot.data.split_digest[:8], "01234567")
    assert other.finished() is None


def test_a_name_that_two_data_sets_share_by_chance_is_not_enough(job):
    slot = settle.slot(job)
    finish(slot, data=slot.data.as_json() | {"fingerprint": slot.data.fingerprint[:8] + "f" * 8})
    assert slot.finished() is None


def test_a_record_from_before_data_were_in_the_name_counts_for_its_own_data(job, data):
    slot, other = (settle.slot(replace(job, data=str(folder))) for folder in data)
    former = slot.path.with_name(f"unet-smoke-{slot.protocol.digest[:8]}-s0.json")
    assert former.name == f"{slot.former_stem}.json"
    finish(slot, former)
    for any_machine in (False, True):
        made = plan.make(job, "unet", "0", "0", any_machine=any_machine)
        assert [path for _, path in made.done] == [former]
    again, other = settle.slot(job), settle.slot(other.job)
    assert (again.path, again.folder) == (former, result_paths.run_folder(former))
    assert again.finished()
    assert other.path != former
    assert other.finished() is None
    assert settle.slot(replace(job, force=True)).path == former, "repeated under its own name"


def test_the_committed_records_are_found_under_their_names():
    found = record.read_all(ROOT / "results").records
    assert found
    trained = {path: one for path, one in found.items() if "origin" not in one.run}  # not masks
    for path, one in trained.items():
        job = Job(
            one.run["model"],
            one.run["protocol"],
            one.run["variant"],
            one.run["seed"],
            one.run["fold"],
            recalibrate=one.run.get("recalibrated", False),
            results=str(ROOT / "results"),
        )
        terms = SimpleNamespace(name=one.run["protocol"], digest=one.protocol_digest)
        slot = Slot(job, terms, Identity(one.data["fingerprint"], one.data["split_digest"]))
        assert slot.path_on(one.machine) == path
        assert slot.own(path)


def test_what_is_shared_is_looked_at_once(job, monkeypatch):
    calls, find = [], settle.origin.find
    monkeypatch.setattr(settle.origin, "find", lambda *a: calls.append(a) or find(*a))
    assert len(plan.make(job, "unet,sa_unet,ar2_unet", "0-9", "0-4").waiting) == 150
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data", "/nope"], "/nope: expected the folder of a data set"),
        (["--devices", "100000"], "to divide by --devices 100000"),
        (["--devices", "0"], "Expected --devices of 1 or more"),
        (["--threads", "-3"], "Expected --threads of 1 or more. Received: -3"),
        (["--seed", "-1"], "Expected a seed from 0 to 4294967295. Received: -1"),
        (["--seed", str(2**32)], "Expected a seed from 0 to 4294967295"),
        (["--fold", "99"], "Expected a fold from 0 to 4, those of the protocol 'smoke'"),
        (["--fold", "-1"], "Expected a fold from 0 to 4"),
        (["--variant", "plane"], "Did you mean 'plain'?"),
        (["--version", "1999"], "version '1999'"),
        (["--cache", "FILE/cache"], "with --cache"),
        (["--cache", "FILE"], "with --cache"),
    ],
)
def test_what_could_not_be_run_is_refused_though_a_record_exists(
    job, words, sentence, tmp_path, capsys, monkeypatch
):
    finish(settle.slot(job))
    assert settle.slot(job).finished()
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    (tmp_path / "file").touch()
    before = sorted((tmp_path / "results").rglob("*"))
    fixed = ["bench", "unet", "--protocol", "smoke", "--results", job.results]
    there = [] if "--data" in words else ["--data", job.data]
    words = [word.replace("FILE", str(tmp_path / "file")) for word in words]
    assert main([*fixed, *there, *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert sorted((tmp_path / "results").rglob("*")) == before


def test_a_full_cache_is_not_the_results_fault(job, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(whole_files, "write_whole", full)
    away = replace(job, cache=str(tmp_path / "cache"))
    with pytest.raises(USER_ERRORS, match=r"No space left on device.*--cache") as caught:
        run.run(away)
    assert str(tmp_path / "cache") in str(caught.value)
    assert "--results" not in str(caught.value)
    assert not (tmp_path / "results").exists()


def test_data_that_change_while_a_run_starts_are_refused(job):
    slot = settle.slot(job)
    other = replace(slot, data=replace(slot.data, fingerprint="0" * 16))
    with pytest.raises(UserError, match="changed while the run was starting"):
        stages.load(other, None)


def test_a_killed_run_has_the_name_of_its_data(job):
    slot = settle.slot(job)
    outcome = launch.bury(slot, "SIGKILL", "It was killed")
    assert outcome.path == slot.path == record.path_of(outcome.record, job.results)
    assert slot.own(slot.path)
    assert slot.finished() is None


def test_the_name_holds_the_three_digests(job):
    slot = settle.slot(job)
    digests = (slot.protocol.digest, slot.data.fingerprint, slot.data.split_digest)
    assert slot.path.stem == f"unet-smoke-{'-'.join(d[:8] for d in digests)}-s0"
    names = result_paths.pattern(slot.run, slot.protocol.digest)
    former = slot.path.with_name(f"{slot.former_stem}.json")
    assert slot.path.match(names)
    assert former.match(names)
    assert not slot.path.with_name(slot.path.name.replace("-s0", "-s1")).match(names)
    assert json.loads(record.to_json(unfinished.of(slot, {})))["data"] == slot.data.as_json()


def test_a_finding_without_data_takes_records_of_one_data_set_only(job, tmp_path):
    from benchmarks.findings.evidence import needed_runs

    away = replace(job, data=None, protocol="lgg2d_lite")
    chosen = settle.protocol.find("lgg2d_lite", "unet")
    slots = [Slot(away, chosen, fabricate.identity(0, name * 10)) for name in "ab"]
    finish(slots[0])
    base = needed_runs.of_protocols("lgg2d_lite")
    found = needed_runs.collect(away, "unet", base, (0,))
    assert found["unet"]["lgg2d_lite"][0].data["fingerprint"] == "a" * 10
    finish(slots[1])
    with pytest.raises(UserError, match=r"different fingerprint: name those.*--data"):
        needed_runs.collect(away, "unet", base, (0,))
