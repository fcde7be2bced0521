"""What stands under a ranking: how intervals are made and hold, what ranks say, what was empty."""

import csv
from dataclasses import replace
from pathlib import Path

import fabricate
import pytest

from benchmarks.comparison import compare, measured_coverage
from benchmarks.comparison.judging import intervals
from benchmarks.comparison.judging.wording import scope
from benchmarks.comparison.notes import notes
from benchmarks.tables import bench_rows, cells, leaderboard_csv, markdown, terminal

ROOT = Path(__file__).parents[3]


def table(records, folder, **how):
    fabricate.archive(records, folder)
    return compare.compare(folder, **how).tables[0]


def of_regions(model, dice, empty, seed=0):
    """Return a record of WT and ET; the first `empty` patients have no ET and none was drawn."""
    made = fabricate.a_record(model, dice, regions=("WT", "ET"), seed=seed)
    for patient in made.patients[:empty]:
        patient["regions"]["ET"] = fabricate.row(0.0, volume=0)
    for patient in made.patients[empty:]:
        patient["regions"]["ET"] = fabricate.row(0.0)
    return made


def test_a_network_that_draws_nothing_is_seen_to_score_by_the_empty_alone(tmp_path):
    # Nine patients, two without ET: WT is missed by all, so the mean Dice is 2 of 18 values.
    found = table([of_regions("sa_unet", [0.0] * 9, 2)], tmp_path)
    assert found.estimates["sa_unet", "mean", "dice"].mean == pytest.approx(2 / 18)
    told = found.empties["sa_unet", "mean"]
    assert (told.number, told.values, told.part) == (2, 18, pytest.approx(2 / 18))
    assert found.empties["sa_unet", "ET"].part == pytest.approx(2 / 9)
    assert found.empties["sa_unet", "WT"].number == 0
    assert cells.empty(told) == "2/18 (Dice 0.111)"
    assert "0.111 of sa_unet's 0.111 (2 of 18 values) comes from such values" in notes(found)[-1]


def test_seeds_are_counted_and_a_policy_that_leaves_out_adds_nothing(tmp_path):
    records = [of_regions("sa_unet", [0.5] * 9, 2, seed) for seed in (0, 1)]
    assert table(records, tmp_path).empties["sa_unet", "mean"].number == 4
    left_out = table(records, tmp_path, policy="exclude")
    assert left_out.empties["sa_unet", "mean"].part == 0
    assert not any("counts a Dice of 1" in note for note in notes(left_out))


def test_every_table_shows_what_was_empty_and_under_which_policy(tmp_path, capsys):
    records = [of_regions("sa_unet", [0.0] * 9, 2), of_regions("unet", [0.5] * 9, 2)]
    fabricate.archive(records, tmp_path)
    comparison = compare.compare(tmp_path)
    text = markdown.to_markdown(comparison)
    assert "| Both masks empty |" in text
    assert "| 2/18 (Dice 0.111) |" in text
    assert "under policy 'brats'" in text
    rows = {(r["model"], r["region"]): r for r in leaderboard_csv.rows(comparison)}
    assert rows["sa_unet", "ET"]["n_both_empty"] == 2
    assert rows["sa_unet", "ET"]["dice_of_both_empty"] == pytest.approx(2 / 9)
    terminal.show(comparison)
    assert "policy 'brats' for empty masks" in capsys.readouterr().out
    bench_rows.show([replace(records[0], training={"seconds": 9.0})])
    assert "2 of 18 values of Dice are of nothing to find" in capsys.readouterr().out


def test_nothing_is_said_of_the_empty_where_there_are_none(tmp_path):
    fabricate.archive([fabricate.a_record()], tmp_path)
    comparison = compare.compare(tmp_path)
    assert "Both masks empty" not in markdown.to_markdown(comparison)
    assert len(notes(comparison.tables[0])) == 1


def test_the_method_and_what_it_holds_for_so_many_patients_is_named(tmp_path):
    told = notes(table([fabricate.a_record(dice=[0.8] * 15)], tmp_path))[0]
    assert intervals.METHOD in told
    assert "In simulations of 13 patients they hold the true mean in 95 to 100 %" in told
    assert (
        "nobody measured" in notes(table([fabricate.a_record(dice=[0.8] * 4)], tmp_path / "b"))[0]
    )


def test_ranks_and_pairs_are_said_to_answer_two_questions(tmp_path):
    found = table(fabricate.a_study(count=150, seeds=1), tmp_path)
    pairs = {frozenset(key): pair for key, pair in found.contrasts.items()}.values()
    below, apart = sum(p.p < 0.05 for p in pairs), sum(p.distinguishable for p in pairs)
    assert 0 < apart <= below < 28
    assert f"{below} of 28 have p below 0.05 over patients before, {apart} after" in notes(found)[1]


def test_one_training_each_is_part_of_every_verdict(tmp_path):
    dice = [0.5 + place / 100 for place in range(40)]
    worse = [value - 0.4 for value in dice]
    both = [fabricate.a_record("unet", dice), fabricate.a_record("sa_unet", worse)]
    text = markdown.to_markdown(_compared(both, tmp_path / "one"))
    assert f"unet is distinguishably better than every other model {scope(1)}" in text
    again = [
        fabricate.a_record(one.name, d, seed=1) for one, d in zip(both, (dice, worse), strict=True)
    ]
    text = markdown.to_markdown(_compared(both + again, tmp_path / "two"))
    assert f"every other model {scope(2)}" in text


def _compared(records, folder):
    fabricate.archive(records, folder)
    return compare.compare(folder)


def test_what_is_printed_of_coverage_is_what_the_study_measured():
    with (ROOT / "docs/findings/coverage.csv").open() as file:
        ours = [row for row in csv.DictReader(file) if row["method"] == "ours"]
    numbers = sorted({int(row["patients"]) for row in ours})
    assert numbers == [one.patients for one in measured_coverage.MEASURED]
    for one in measured_coverage.MEASURED:
        for kind in ("mean", "difference", "rank"):
            held = [
                float(row["coverage"])
                for row in ours
                if (row["kind"], int(row["patients"])) == (kind, one.patients)
            ]
            assert getattr(one, kind) == pytest.approx((min(held), max(held)), abs=6e-4)


def test_the_study_finds_ours_nominal_where_others_are_not():
    with (ROOT / "docs/findings/coverage.csv").open() as file:
        rows = list(csv.DictReader(file))
    least = {
        method: min(
            float(r["coverage"]) for r in rows if r["method"] == method and r["kind"] == "mean"
        )
        for method in ("ours", "expanded BCa", "Student's t")
    }
    assert least["ours"] >= 0.93
    assert max(least["expanded BCa"], least["Student's t"]) < 0.5
