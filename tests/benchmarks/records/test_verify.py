"""gliozoo verify: what a record says must follow from its patients."""

import json

import fabricate
import pytest

from benchmarks.__main__ import main
from benchmarks.records import record
from benchmarks.records.verify import mismatches
from benchmarks.scoring import policies


def honest(**changes):
    """Return a record whose aggregates were computed from its patients."""
    return fabricate.honest(fabricate.a_record(**changes))


def test_an_honest_record_agrees_before_and_after_the_disk(tmp_path):
    built = honest(regions=("WT", "TC"))
    assert mismatches(built) == []
    assert mismatches(record.read(record.write(built, tmp_path))) == []


def test_a_failed_run_has_nothing_to_verify():
    assert mismatches(honest(status="failed", patients=[])) == []


def test_a_changed_aggregate_is_named_with_both_values():
    built = honest()
    built.quality["brats"]["lgg"]["patient"]["dice"]["mean"] = 0.99
    (problem,) = mismatches(built)
    assert problem.startswith("quality.brats.lgg.patient.dice.mean: recorded 0.99, the patients")


def test_a_changed_count_shows_in_every_aggregate_above_it():
    built = honest()
    built.patients[0]["regions"]["lgg"]["tp"] += 500
    found = mismatches(built)
    assert any(problem.startswith("patients.TCGA_000.lgg.tp: recorded") for problem in found)
    for level in ("patient", "pooled"):
        for policy in policies.POLICIES:
            place = f"quality.{policy}.lgg.{level}.dice.mean"
            assert any(problem.startswith(place) for problem in found)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda one: one.quality.pop("exclude"), "quality.exclude: is missing"),
        (lambda one: one.quality["brats"].pop("lgg"), "quality.brats.lgg: is missing"),
        (lambda one: one.patients.append(one.patients[0]), "is there twice"),
        (lambda one: one.patients.clear(), "patients: none"),
        (
            lambda one: one.patients[0]["regions"]["lgg"].update(status="both_empty"),
            "the counts say 'ok'",
        ),
        (lambda one: one.patients[0]["regions"]["lgg"].update(fp=-1), "whole numbers from 0"),
        (lambda one: one.patients[0]["regions"]["lgg"].update(tp=None), "whole numbers from 0"),
        (lambda one: one.patients[0]["regions"]["lgg"].pop("tn"), "cannot be scored"),
        (lambda one: one.data.update(n_test=9), "data.n_test: recorded 9"),
    ],
)
def test_what_does_not_match_is_named(spoil, named):
    built = honest()
    spoil(built)
    assert any(named in problem for problem in mismatches(built))


def test_the_command_exits_with_one_on_a_mismatch(tmp_path, capsys):
    good = honest()
    record.write(good, tmp_path)
    assert main(["verify", "--results", str(tmp_path)]) == 0
    assert "1 records, 1 agree" in capsys.readouterr().out
    bad = honest(seed=1)
    bad.quality["brats"]["lgg"]["slice"]["iou"]["n_used"] += 1
    path = record.write(bad, tmp_path)
    assert main(["verify", "--results", str(tmp_path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert list(told["mismatches"]) == [str(path)]
    (path.parent / "torn.json").write_text("{")
    assert main(["verify", "--results", str(tmp_path)]) == 1
