"""The comparison, on fabricated records of known scores."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace

import fabricate
import numpy as np
import pytest
import scipy.stats

from benchmarks.__main__ import main
from benchmarks.comparison.changes import changes
from benchmarks.comparison.compare import compare
from benchmarks.comparison.reading import load, machine_costs
from benchmarks.comparison.verdict import conclusions, reservations
from benchmarks.errors import UserError
from benchmarks.records import record
from benchmarks.tables import leaderboard_csv, markdown

GENERATOR_SEED = 7


def compared(tmp_path, records, **options):
    fabricate.archive(records, tmp_path)
    return compare(tmp_path, **options)


def scores(mean, patients=20, seed=GENERATOR_SEED, spread=0.05):
    """Return scores around a mean; equal seeds share the patients' difficulty."""
    return np.clip(mean + np.random.default_rng(seed).normal(0, spread, patients), 0.01, 0.99)


def dice(comparison, model, table=0):
    found = comparison.tables[table]
    return found.estimates[model, found.regions[0], "dice"]


def test_means_are_those_of_the_patients(tmp_path):
    comparison = compared(tmp_path, [fabricate.a_record("unet", [0.6, 0.8, 1.0])])
    assert dice(comparison, "unet").mean == pytest.approx(0.8, abs=1e-3)
    assert dice(comparison, "unet").median == pytest.approx(0.8, abs=1e-3)
    assert comparison.tables[0].standings["unet"].rank == 1


def test_a_clear_difference_is_told_and_noise_is_not(tmp_path):
    base = scores(0.7, 40)
    noise = np.random.default_rng(1).normal(0, 0.01, 40)
    records = [
        fabricate.a_record("unet", base),
        fabricate.a_record("sa_unet", base + 0.1 + noise),
        fabricate.a_record("mod_r2au", base + noise),
    ]
    table = compared(tmp_path, records).tables[0]
    assert table.models[0] == "sa_unet"
    assert table.against("sa_unet", "unet").sign == "+"
    assert table.against("unet", "sa_unet").sign == "-"
    assert table.against("mod_r2au", "unet").sign == "~"
    assert table.against("sa_unet", "unet").difference == pytest.approx(0.1, abs=0.01)
    assert table.against("sa_unet", "unet").effect == 1.0


@pytest.mark.thorough
def test_equal_models_are_rarely_told_apart():
    """The familywise type-I error of a table of five equal models stays near five per cent."""
    from benchmarks.comparison.judging.contrasts import contrast

    generator, false, studies = np.random.default_rng(3), 0, 100
    for _ in range(studies):
        difficulty = generator.normal(0.8, 0.08, (25, 1))
        columns = difficulty + generator.normal(0, 0.03, (25, 5))
        pairs = contrast(columns, list("abcde"), "a")
        false += any(pair.distinguishable for pair in pairs.values())
    assert false <= 10  # 99.8 % of the time, if the true rate is 5 %


def test_seeds_are_averaged_not_counted_as_patients(tmp_path):
    first, second = [0.6, 0.7, 0.8, 0.9], [0.8, 0.7, 0.6, 0.9]
    records = [
        fabricate.a_record("unet", first, seed=0),
        fabricate.a_record("unet", second, seed=1),
    ]
    comparison = compared(tmp_path, records)
    table = comparison.tables[0]
    assert len(table.patients) == 4
    assert table.dice("unet") == pytest.approx([0.7, 0.7, 0.7, 0.9], abs=1e-3)
    assert dice(comparison, "unet").n_total == 4
    assert table.standings["unet"].seeds == (0, 1)
    assert table.standings["unet"].seed_spread == pytest.approx(0, abs=1e-3)


def test_the_scatter_of_seeds_is_told(tmp_path):
    one = [fabricate.a_record("unet", [0.8, 0.6])]
    assert not any("scatters" in told for told in reservations(compared(tmp_path, one).tables[0]))
    two = [*one, fabricate.a_record("unet", [0.6, 0.6], seed=1)]
    comparison = compared(tmp_path, two)
    told = " ".join(reservations(comparison.tables[0]))
    assert "scatters with a standard deviation of 0.071:" in told  # .7 and .6
    assert "one seed" not in told
    assert "| 2 × 1 | 0.071 |" in markdown.to_markdown(comparison)


def test_seeds_are_tested_as_scipy_tests_two_samples(tmp_path):
    means = {"unet": (0.9, 0.8, 0.85), "sa_unet": (0.6, 0.7, 0.62)}
    records = [
        fabricate.a_record(model, np.full(8, mean), seed=seed)
        for model, values in means.items()
        for seed, mean in enumerate(values)
    ]
    table = compared(tmp_path, records).tables[0]
    expected = scipy.stats.ttest_ind(*means.values()).pvalue
    assert table.against("unet", "sa_unet").p_seeds == pytest.approx(expected, rel=2e-2)
    assert table.against("sa_unet", "unet").p_seeds == table.against("unet", "sa_unet").p_seeds


def test_with_one_seed_only_patients_are_tested(tmp_path):
    records = [fabricate.a_record(model, scores(0.8, 12)) for model in ("unet", "sa_unet")]
    assert np.isnan(compared(tmp_path, records).tables[0].against("unet", "sa_unet").p_seeds)


@pytest.mark.thorough
def test_what_only_the_seeds_make_is_rarely_told_apart(tmp_path):
    generator, told = np.random.default_rng(1), 0
    for trial in range(20):
        patients = generator.normal(0.7, 0.05, 25)
        records = [
            fabricate.a_record(model, patients + generator.normal(0, 0.05), seed=seed)
            for model in ("unet", "sa_unet", "ar2_unet")
            for seed in range(3)
        ]
        table = compared(tmp_path / str(trial), records).tables[0]
        told += any(pair.distinguishable for pair in table.contrasts.values())
    assert told <= 4  # 99.7 % of the time, if the true rate is 5 %; by patients alone: 20 of 20


def test_repeating_a_seed_does_not_narrow_the_interval(tmp_path):
    values = scores(0.8, 12)
    once = compared(tmp_path / "once", [fabricate.a_record("unet", values)])
    thrice = compared(
        tmp_path / "thrice", [fabricate.a_record("unet", values, seed=s) for s in range(3)]
    )
    assert dice(thrice, "unet").ci_lower == pytest.approx(dice(once, "unet").ci_lower, abs=1e-4)


def test_folds_add_patients(tmp_path):
    names = fabricate.patients(8)
    records = [
        fabricate.a_record(model, scores(0.8, 4, seed=fold), fold=fold, names=names[4 * fold :][:4])
        for model in ("unet", "sa_unet")
        for fold in (0, 1)
    ]
    table = compared(tmp_path, records).tables[0]
    assert set(table.patients) == set(names)
    assert table.standings["unet"].folds == (0, 1)


def test_the_scatter_of_seeds_is_taken_fold_by_fold(tmp_path):
    """Two seeds of three folds are three pairs of trainings, whose means scatter less than one."""
    names, dice = fabricate.patients(12), {0: (0.6, 0.7), 1: (0.5, 0.5), 2: (0.8, 0.4)}
    records = [
        fabricate.a_record(
            "unet", [dice[fold][seed]] * 4, seed=seed, fold=fold, names=names[4 * fold :][:4]
        )
        for fold in dice
        for seed in (0, 1)
    ]
    records += [
        fabricate.a_record("sa_unet", [0.5] * 4, fold=fold, names=names[4 * fold :][:4])
        for fold in dice
    ]
    table = compared(tmp_path, records).tables[0]
    of_a_training = np.sqrt((0.1**2 / 2 + 0 + 0.4**2 / 2) / 3)
    spread = of_a_training / np.sqrt(3)  # of a mean over three of them
    assert table.standings["unet"].seed_spread == pytest.approx(spread, abs=1e-3)
    assert np.isnan(table.standings["sa_unet"].seed_spread)
    assert (table.scatter.freedom, table.scatter.spread) == (3, pytest.approx(spread, abs=1e-3))


def test_a_model_with_fewer_folds_is_compared_on_those_it_has(tmp_path):
    names = fabricate.patients(8)
    records = [
        fabricate.a_record("unet", [0.8] * 4, fold=0, names=names[:4]),
        fabricate.a_record("unet", [0.2] * 4, fold=1, names=names[4:]),
        fabricate.a_record("sa_unet", [0.7] * 4, fold=0, names=names[:4]),
    ]
    comparison = compared(tmp_path, records)
    both, full = comparison.tables
    assert both.models == ("unet", "sa_unet")
    assert both.patients == tuple(names[:4])
    assert full.models == ("unet",)
    assert len(full.patients) == 8
    assert any(field.startswith("folds: ") for field in comparison.apart(full))


def test_of_tables_alike_the_one_that_tested_more_patients_comes_first(tmp_path):
    other = {"fingerprint": "another", "split_digest": "split0"}  # and before "feedc0ffee"
    few, many = (fabricate.a_record("unet", [0.8] * count) for count in (4, 6))
    tables = compared(tmp_path, [replace(few, data=other), many]).tables
    assert [len(table.patients) for table in tables] == [6, 4]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (
            {
                "protocol": {
                    "data": {"size": [64, 64], "folds": 5},
                    "train": {"epochs": 5, "loss": "bce+dice"},
                    "evaluate": {"policy": "brats"},
                },
            },
            "train.epochs: 5 instead of 60",
        ),
        ({"data": {"fingerprint": "other", "split_digest": "split0"}}, "data fingerprint"),
        (
            {"data": {"fingerprint": "feedc0ffee", "split_digest": "leaky-0", "leaky": True}},
            "leaky split: True instead of False",
        ),
        ({"data": {"fingerprint": "feedc0ffee", "split_digest": "another"}}, "folds: "),
    ],
)
def test_unequal_terms_are_never_ranked_together(tmp_path, changed, named):
    records = [
        fabricate.a_record("mod_r2au"),
        fabricate.a_record("unet"),
        replace(fabricate.a_record("sa_unet"), **changed),
    ]
    comparison = compared(tmp_path, records)
    assert [len(table.models) for table in comparison.tables] == [2, 1]
    assert any(named in field for field in comparison.apart(comparison.tables[1]))
    assert named.split(":")[0] in markdown.to_markdown(comparison)


def test_ties_share_a_rank_and_cannot_be_told_apart(tmp_path):
    values = scores(0.8)
    records = [fabricate.a_record(name, values) for name in ("unet", "sa_unet")]
    records.append(fabricate.a_record("mod_r2au", values - 0.1))
    table = compared(tmp_path, records).tables[0]
    assert [table.standings[name].rank for name in table.models] == [1, 1, 3]
    tie = table.against("unet", "sa_unet")
    assert (tie.difference, tie.p, tie.effect, tie.sign) == (0, 1, 0, "~")


def test_one_model_alone(tmp_path):
    comparison = compared(tmp_path, [fabricate.a_record("sa_unet", scores(0.8))])
    table = comparison.tables[0]
    assert table.contrasts == {}
    assert table.standings["sa_unet"].rank_upper == 1
    assert "sa_unet has the highest mean Dice" in conclusions(table)[0]
    assert markdown.to_markdown(comparison)


def test_one_patient_gives_no_interval_and_no_verdict(tmp_path):
    records = [fabricate.a_record("unet", [0.8]), fabricate.a_record("sa_unet", [0.9])]
    comparison = compared(tmp_path, records)
    table = comparison.tables[0]
    assert np.isnan(dice(comparison, "unet").ci_lower)
    assert table.against("sa_unet", "unet").sign == "~"
    assert any("no paired test" in line for line in reservations(table))
    row = next(leaderboard_csv.rows(comparison))
    assert np.isnan(row["ci_lower"])
    assert "nan" not in leaderboard_csv.to_csv(comparison)
    assert "nan" not in markdown.to_markdown(comparison)


def test_five_patients_are_too_few_however_large_the_difference(tmp_path):
    low, high = [0.1, 0.2, 0.3, 0.2, 0.1], [0.8, 0.9, 0.85, 0.9, 0.95]
    records = [fabricate.a_record("unet", low), fabricate.a_record("sa_unet", high)]
    pair = compared(tmp_path, records).tables[0].against("sa_unet", "unet")
    assert pair.p == pytest.approx(0.0625)
    assert pair.sign == "~"


def test_undefined_patients_are_counted_not_hidden(tmp_path):
    empty = {"tp": 0, "fp": 0, "fn": 0, "tn": 100, "status": "both_empty", "diagonal_mm": 10.0}
    one = fabricate.a_record("unet", [0.6, 0.8, 0.7, 0.9])
    one.patients[0]["regions"]["lgg"] = empty
    excluded = compared(tmp_path, [one], policy="exclude")
    assert dice(excluded, "unet").mean == pytest.approx(0.8, abs=1e-3)
    assert (dice(excluded, "unet").n_used, dice(excluded, "unet").n_total) == (3, 4)
    assert "(3/4)" in markdown.to_markdown(excluded)
    assert any("3 of 4" in line for line in reservations(excluded.tables[0]))
    counted = compare(tmp_path, policy="brats")
    assert dice(counted, "unet").mean == pytest.approx(0.85, abs=1e-3)


def test_the_order_is_checked_by_slice_and_pooled(tmp_path):
    """A model that is good at the large tumour alone wins only where voxels are pooled."""
    names, sizes = fabricate.patients(3), (100, 100, 50_000)
    one = fabricate.a_record("unet", [0.9, 0.9, 0.5], names=names)
    other = fabricate.a_record("sa_unet", [0.6, 0.6, 0.9], names=names)
    for built, values in ((one, (0.9, 0.9, 0.5)), (other, (0.6, 0.6, 0.9))):
        for patient, value, size in zip(built.patients, values, sizes, strict=True):
            patient["regions"]["lgg"] = fabricate.row(value, size)
    table = compared(tmp_path, [one, other]).tables[0]
    by_level = {(order.level, order.policy): order for order in table.orders}
    assert table.models == ("unet", "sa_unet")
    assert by_level["patient", "brats"].swaps == ()
    pooled = by_level["pooled", "brats"]
    assert pooled.swaps == (("unet", "sa_unet"),)
    assert pooled.tau == -1
    expected = sum(size * value for size, value in zip(sizes, (0.6, 0.6, 0.9), strict=True))
    assert pooled.dice["sa_unet"] == pytest.approx(expected / sum(sizes), abs=1e-3)
    assert any("swaps places" in line for line in reservations(table))


def test_slices_under_both_policies_by_hand(tmp_path):
    one = fabricate.a_record("unet", [0.5])
    slices = [[1, 0, 0], [1, 1, 1], [0, 0, 0], [0, 0, 0]]
    one.patients[0]["regions"]["lgg"] |= {"tp": 2, "fp": 1, "fn": 1, "slices": slices}
    orders = compared(tmp_path, [one]).tables[0].orders
    by_slice = {order.policy: order.dice["unet"] for order in orders if order.level == "slice"}
    assert by_slice["brats"] == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert by_slice["exclude"] == pytest.approx((1 + 0.5) / 2)


def test_distances_count_voxels_where_files_state_no_size(tmp_path):
    made = fabricate.a_record("unet", [0.6, 0.8, 1.0])
    unsized = replace(made, patients=[{**patient, "in_mm": False} for patient in made.patients])
    in_mm = markdown.to_markdown(compared(tmp_path / "a", [made]))
    in_voxels = markdown.to_markdown(compared(tmp_path / "b", [unsized]))
    assert "HD95 (mm)" in in_mm
    assert "HD95 (voxels)" in in_voxels
    assert "(mm)" not in in_voxels
    assert "count voxels, not mm" in in_voxels


def test_each_row_says_what_repeats_it(tmp_path):
    runs = [fabricate.a_record("unet", [0.6, 0.8], seed=seed) for seed in (0, 1)]
    comparison = compared(tmp_path, runs)
    commands = [f"gliozoo bench unet --protocol quick --seed {seed} --fold 0" for seed in (0, 1)]
    for command in commands:
        assert f"    {command}\n" in markdown.to_markdown(comparison)
    (row,) = leaderboard_csv.rows(comparison)
    assert row["command"] == " && ".join(commands)


def test_regions_are_averaged_patient_by_patient(tmp_path):
    one = fabricate.a_record("unet3d", [0.9, 0.7], regions=("WT", "TC"))
    one.patients[0]["regions"]["TC"] = fabricate.row(0.5)
    comparison = compared(tmp_path, [one])
    table = comparison.tables[0]
    assert table.regions == ("mean", "WT", "TC")
    assert table.dice("unet3d") == pytest.approx([0.7, 0.7], abs=1e-3)
    told = markdown.to_markdown(comparison)
    assert "By region" in told
    assert "Lesion HD95 (mm)" in told.split("By region")[1]


def test_costs_of_two_machines_never_share_a_table(tmp_path):
    records = [
        fabricate.a_record("unet", machine="one"),
        fabricate.a_record("sa_unet", machine="two"),
    ]
    comparison = compared(tmp_path, records)
    assert [list(models) for models in comparison.costs.values()] in (
        [["unet"], ["sa_unet"]],
        [["sa_unet"], ["unet"]],
    )
    rows = {row["model"]: row for row in leaderboard_csv.rows(comparison)}
    measured = [row for row in rows.values() if "infer_step_time" in row]
    assert len(measured) == 1
    assert {row["machine"] for row in measured} <= {"one", "two"}


def test_failed_runs_are_listed_with_their_reason(tmp_path):
    failed = fabricate.a_record(
        "sa_unet", status="failed", error={"kind": "oom", "message": "out of memory"}, patients=[]
    )
    comparison = compared(tmp_path, [fabricate.a_record("unet"), failed])
    assert comparison.tables[0].models == ("unet",)
    assert "out of memory" in markdown.to_markdown(comparison)
    rows = list(csv.DictReader(io.StringIO(leaderboard_csv.to_csv(comparison))))
    assert [(row["model"], row["status"], row["error"]) for row in rows] == [
        ("unet", "ok", ""),
        ("sa_unet", "failed", "out of memory"),
    ]


def test_a_finished_run_without_patients_is_damage(tmp_path):
    comparison = compared(tmp_path, [fabricate.a_record("unet", patients=[])])
    assert comparison.tables == ()
    assert next(iter(comparison.left_out.values())).startswith("patients: none")
    assert "No run has finished" in markdown.to_markdown(comparison)


def test_rows_that_cannot_be_scored_are_damage(tmp_path):
    odd = fabricate.honest(fabricate.a_record("unet"))
    odd.patients[3]["regions"]["lgg"]["fp"] = "many"
    path = record.write(odd, tmp_path)
    comparison = compared(tmp_path, [fabricate.a_record("sa_unet")])
    assert comparison.tables[0].models == ("sa_unet",)
    ((name, reason),) = comparison.left_out.items()
    assert tmp_path / name == path
    assert reason.startswith("patients[3].regions.lgg.fp: expected a whole number from 0")


def test_claims_carry_their_dagger_and_are_never_ranked(tmp_path):
    card = {
        "title": "Two U-Nets",
        "claims": [{"dataset": "LGG", "metrics": {"dice": 0.99}, "leaks": True}],
    }
    records = [fabricate.a_record("unet"), fabricate.a_record("sa_unet", [0.5] * 6, card=card)]
    comparison = compared(tmp_path, records)
    assert comparison.tables[0].models == ("unet", "sa_unet")
    text = markdown.to_markdown(comparison)
    assert "0.99† (LGG)" in text
    assert "claimed" in text.lower()
    rows = {row["model"]: row for row in leaderboard_csv.rows(comparison)}
    assert (rows["sa_unet"]["claimed_dice"], rows["sa_unet"]["claimed_leaks"]) == (0.99, True)


def test_csv_columns_are_unique_stable_and_exact(tmp_path):
    comparison = compared(tmp_path, fabricate.a_study(count=8, seeds=1))
    assert len(set(leaderboard_csv.COLUMNS)) == len(leaderboard_csv.COLUMNS)
    rows = list(csv.DictReader(io.StringIO(leaderboard_csv.to_csv(comparison))))
    assert tuple(rows[0]) == tuple(leaderboard_csv.COLUMNS)
    for row in rows:
        assert float(row["dice"]) == dice(comparison, row["model"]).mean
    names = (
        "model infer_samples_per_sec infer_step_time infer_batch_size infer_img_size infer_gmacs "
        "param_count train_samples_per_sec ci_lower ci_upper n_train n_val n_test seed"
    )
    assert [name for name in names.split() if rows[0][name] == ""] == []


def test_hostile_names_are_harmless_in_csv_and_markdown(tmp_path):
    run = {"model": "=cmd()", "variant": None, "protocol": "a|b", "seed": 0, "fold": 0}
    hostile = fabricate.a_record(
        run=run, names=["<script>alert(1)</script>"], dice=[0.5], environment={"machine": "@x"}
    )
    comparison = compared(tmp_path, [hostile])
    rows = list(csv.reader(io.StringIO(leaderboard_csv.to_csv(comparison))))
    formulas = [cell for row in rows for cell in row if cell[:1] in "=@+" and cell[:1]]
    assert formulas == []
    assert rows[1][1] == "'=cmd()"
    failed = replace(hostile, status="failed", error={"kind": "x", "message": "<img src=x>|`"})
    text = markdown.to_markdown(compared(tmp_path / "failed", [failed]))
    assert "<img" not in text
    assert "\\|\\`" in text


def test_many_records_are_read_by_several_processes(tmp_path, monkeypatch):
    fabricate.archive(
        [*fabricate.a_study(count=6, seeds=2), fabricate.a_record("unet3d")], tmp_path
    )
    (tmp_path / "torn.json").write_text("{")
    alone = compare(tmp_path)
    monkeypatch.setattr(load, "MANY", 2)
    together = compare(tmp_path)
    assert leaderboard_csv.to_csv(together) == leaderboard_csv.to_csv(alone)
    assert together.left_out == alone.left_out != {}


def test_an_unknown_protocol_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="one of quick"):
        compared(tmp_path, [fabricate.a_record()], protocol="quack")


def test_against_tells_a_loss_from_noise(tmp_path):
    base, noise = scores(0.8, 30), np.random.default_rng(2).normal(0, 0.01, 30)

    def study(folder, unet, sa_unet):
        records = [fabricate.a_record("unet", unet), fabricate.a_record("sa_unet", sa_unet)]
        return compared(tmp_path / folder, records)

    before, now = study("before", base, base), study("now", base - 0.1 + noise, base + noise)
    found = {change.model: change for change in changes(before, now)}
    assert found["unet"].is_loss
    assert found["unet"].difference == pytest.approx(-0.1, abs=0.01)
    assert not found["sa_unet"].is_loss
    assert not any(change.is_loss for change in changes(now, before))


def test_against_exits_with_one_on_a_loss(tmp_path, capsys):
    base = scores(0.8, 30)
    fabricate.archive([fabricate.a_record("unet", base)], tmp_path / "before")
    fabricate.archive([fabricate.a_record("unet", base - 0.1)], tmp_path / "now")
    before, now = str(tmp_path / "before"), str(tmp_path / "now")
    assert main(["compare", "--results", now, "--against", before, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["loss"] is True
    assert main(["compare", "--results", before, "--against", now]) == 0
    assert main(["compare", "--results", now, "--against", now]) == 0


def test_against_does_not_compare_other_protocols(tmp_path):
    before = compared(tmp_path / "a", [fabricate.a_record("unet")])
    other = fabricate.a_record("unet", protocol={"train": {"epochs": 5}})
    now = compared(tmp_path / "b", [other])
    assert {change.note for change in changes(before, now)} == {"only before", "only now"}


def test_the_command_writes_its_tables(tmp_path, capsys):
    fabricate.archive(fabricate.a_study(count=8, seeds=1), tmp_path)
    out = tmp_path / "out"
    assert main(["compare", "--results", str(tmp_path), "--out", str(out), "--latex"]) == 0
    assert {path.name for path in out.iterdir()} == {
        "leaderboard.csv",
        "leaderboard.md",
        "leaderboard.tex",
    }
    assert "mod_r2au" in capsys.readouterr().out


@pytest.mark.thorough
def test_compare_and_report_import_no_keras(tmp_path):
    fabricate.archive([fabricate.a_record()], tmp_path)
    program = (
        "import sys; from benchmarks.__main__ import main; "
        f"main(['compare', '--results', {str(tmp_path)!r}]); "
        f"main(['report', '--results', {str(tmp_path)!r}]); "
        "sys.exit(bool({'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def test_times_of_processors_of_one_name_stand_apart():
    old, new = (fabricate.a_record(seed=seed) for seed in (0, 1))
    new = replace(new, environment=new.environment | {"instructions": "AVX2"})
    found = machine_costs.costs([old, new])
    assert {setting.device for setting in found} == {
        "Xeon 2.8 GHz, 2 cores",
        "Xeon 2.8 GHz, 2 cores, AVX2",
    }


def test_counts_are_shown_of_a_model_that_was_timed_on_another_machine():
    same = ("cpu", "tensorflow", "float32", "", "1", "64x64x3", "lgg2d_lite", "1a")
    here, there = (machine_costs.Setting(machine, *same) for machine in ("here", "there"))
    timed = machine_costs.Cost("unet", 31.0, 30.0, 2.0, 4.0, 0.1, *[5.0] * 11)
    found = machine_costs.counted({here: {}, there: {"unet": timed}}, "unet", here)
    assert (found.params, found.gmacs, found.gflops) == (31.0, 2.0, 4.0)
    assert {found.latency_p50, found.train_seconds, found.mfu} == {None}
    for other in ({"input_shape": "32x32x3"}, {"protocol_digest": "2b"}):
        assert (
            machine_costs.counted({there: {"unet": timed}}, "unet", replace(here, **other)) is None
        )


def test_a_model_of_other_widths_or_epochs_shares_no_cost(tmp_path):
    quarter, eighth = (fabricate.a_record("unet", seed=seed) for seed in (0, 1))
    train = {**eighth.protocol["train"], "width": 0.125}
    eighth = replace(
        eighth,
        protocol={**eighth.protocol, "train": train},
        cost=eighth.cost | {"params": quarter.cost["params"] // 4},
    )
    comparison = compared(tmp_path, [quarter, eighth])
    told = [comparison.cost("unet", comparison.setting(table)) for table in comparison.tables]
    assert sorted(cost.params for cost in told) == [eighth.cost["params"], quarter.cost["params"]]


def test_only_the_models_that_are_named_are_ranked_and_counted(tmp_path):
    names = ("unet", "sa_unet", "ar2_unet", "segresnet")
    fabricate.archive([fabricate.a_record(name) for name in names], tmp_path)
    (table,) = compare(tmp_path, models=["unet", "*a_unet"]).tables
    assert set(table.models) == {"unet", "sa_unet"}
    assert main(["compare", "--results", str(tmp_path), "--models", "unet, ar2*"]) == 0
    assert "Of 1 pair of models" in (tmp_path / "leaderboard.md").read_text()
    with pytest.raises(UserError, match=r"of the model 'a2_unet'; did you mean 'ar2_unet'\?"):
        compare(tmp_path, models=["unet", "a2_unet"])
