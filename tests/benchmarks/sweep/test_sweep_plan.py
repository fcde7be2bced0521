"""What a sweep consists of, what it skips, and how fast it knows."""

import dataclasses
import json

import fabricate
import pytest

import zoo
from benchmarks.errors import UserError
from benchmarks.records import record, result_paths
from benchmarks.running.job import Job
from benchmarks.sweep import finished, plan


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")
    fabricate.no_data(monkeypatch)


@pytest.fixture
def pattern(tmp_path):
    return Job("", "smoke", results=str(tmp_path / "results"))


def record_of(slot, status="ok", machine="box"):
    made = fabricate.a_record(slot.job.model, machine=machine)
    return dataclasses.replace(
        made, run=slot.run, protocol_digest=slot.protocol.digest, status=status
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [("0", (0,)), ("0,1,2", (0, 1, 2)), ("0-4", (0, 1, 2, 3, 4)), ("7, 1-2,2", (7, 1, 2))],
)
def test_numbers_are_lists_and_ranges(text, found):
    assert plan.numbers(text, "--seeds") == found


@pytest.mark.parametrize("text", ["", "a", "3-1", "-1", "1,,2", "1.5", "0-"])
def test_numbers_that_are_none_are_one_sentence(text):
    with pytest.raises(UserError, match=r"Expected --folds like 0,1,2 or 0-4\. Received: "):
        plan.numbers(text, "--folds")


def test_every_model_meets_every_seed_and_fold_and_models_come_first(pattern):
    made = plan.make(pattern, "unet,sa_unet", "0,1", "0-2")
    runs = [(slot.job.seed, slot.job.fold, slot.job.model) for slot in made.waiting]
    assert len(runs) == len(set(runs)) == 2 * 2 * 3
    assert runs == sorted(runs, key=lambda run: run[:2]), "a seed and fold is compared whole"
    assert runs[:2] == [(0, 0, "unet"), (0, 0, "sa_unet")]
    assert {slot.job.protocol for slot in made.waiting} == {"smoke"}


def test_a_model_of_volumes_gets_the_twin_and_what_cannot_be_fed_is_left_out(pattern):
    made = plan.make(pattern, "unet3d", "0", "0")
    assert made.waiting[0].protocol.name == "smoke3d"
    lgg = plan.make(dataclasses.replace(pattern, protocol="lgg2d"), "all", "0", "0")
    assert lgg.left_out == ("unet3d", "vnet")
    assert len(lgg.waiting) == len(zoo.names()) - 2


def test_a_fold_that_the_protocol_has_not_is_one_sentence(pattern):
    with pytest.raises(UserError, match="Expected a fold from 0 to 4"):
        plan.make(pattern, "unet", "0", "0-5")


def test_only_good_records_are_skipped(pattern):
    good, failed, damaged, missing = plan.make(pattern, "unet", "0-3", "0").waiting
    record.write(record_of(good), pattern.results)
    record.write(record_of(failed, status="failed"), pattern.results)
    damaged.path.write_text('{"status": "ok"')
    made = plan.make(pattern, "unet", "0-3", "0")
    assert [slot.job for slot in made.waiting] == [failed.job, damaged.job, missing.job]
    assert [(slot.job, path) for slot, path in made.done] == [(good.job, good.path)]
    forced = plan.make(dataclasses.replace(pattern, force=True), "unet", "0-3", "0")
    assert len(forced.waiting) == 4


def test_a_record_laid_out_by_someone_else_is_read(pattern):
    (slot,) = plan.make(pattern, "unet", "0", "0").waiting
    path = record.write(record_of(slot), pattern.results)
    assert finished.is_good(path)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4))
    assert finished.is_good(path)


def test_a_status_that_a_message_quotes_counts_for_nothing(pattern):
    (slot,) = plan.make(pattern, "unet", "0", "0").waiting
    quoting = dataclasses.replace(
        record_of(slot, status="failed"), training={"note": '\n "status": "ok"'}
    )
    assert not finished.is_good(record.write(quoting, pattern.results))


def test_what_another_machine_has_done_counts_where_it_is_asked_for(pattern):
    (slot,) = plan.make(pattern, "unet", "0", "0").waiting
    path = record.write(record_of(slot, machine="node7"), pattern.results)
    assert path != slot.path
    assert result_paths.run_folder(path).parent.parent.name == "node7"
    assert len(plan.make(pattern, "unet", "0", "0").waiting) == 1
    made = plan.make(pattern, "unet", "0", "0", any_machine=True)
    assert [found for _, found in made.done] == [path]
