"""What training bought, by hand: minutes, multiply-adds, who is ahead, who was timed elsewhere."""

from dataclasses import replace

import fabricate
import numpy as np
import pytest

from benchmarks.comparison.compare import compare
from benchmarks.plots import training_curves
from benchmarks.tables import budget_rows
from benchmarks.tables.markdown import to_markdown


def trained(model, dice, seconds, *, machine=fabricate.MACHINE, **changes):
    """Return a record whose epochs took so long each and came to these Dice."""
    history = [
        {"epoch": n, "loss": 1.0, "val_loss": 1.0, "seconds": seconds, "samples_per_sec": 10.0}
        | {"val_dice": value}
        for n, value in enumerate(dice, 1)
    ]
    return fabricate.a_record(model, machine=machine, history=history, **changes)


@pytest.fixture
def table(tmp_path):
    fabricate.archive(
        [
            trained("unet", [0.5, 0.7, 0.6, 0.8], 120.0),
            trained("unet", [0.6, 0.5, 0.7, 0.7], 120.0, seed=1),
            trained("sa_unet", [0.55, 0.6, 0.6, 0.62], 30.0),
            trained("ar2_unet", [0.9], 10.0, machine="other"),
        ],
        tmp_path,
    )
    return compare(tmp_path).tables[0]


def test_best_so_far_within_a_budget_is_the_mean_over_runs(table):
    found = table.budgets
    assert np.isnan(found.reached("unet", 1))
    assert found.reached("unet", 2) == pytest.approx((0.5 + 0.6) / 2)
    assert found.reached("unet", 5) == pytest.approx((0.7 + 0.6) / 2)
    assert found.reached("unet", 20) == pytest.approx((0.8 + 0.7) / 2)
    assert found.reached("sa_unet", 1) == 0.6


def test_multiply_adds_are_three_times_those_of_an_inference_of_each_image(table):
    (course,) = table.budgets.courses["sa_unet"]
    gmacs = fabricate.MODELS["sa_unet"][1]
    assert course.tera_macs == pytest.approx(3 * gmacs / 1000 * 300 * np.arange(1, 5))


def test_times_of_another_machine_are_left_out_and_it_says_so(table):
    assert set(table.budgets.courses) == {"unet", "sa_unet"}
    assert "Timed elsewhere, so left out: ar2_unet." in budget_rows.note(table.budgets)


def test_who_is_ahead_depends_on_the_budget(table):
    told = budget_rows.note(table.budgets)
    assert "Ahead: sa_unet after 1 minute, unet after 5 minutes and unet after 20 minutes." in told
    rows = {row[0]: row[1:] for row in budget_rows.rows(table, table.budgets)}
    assert rows == {
        "unet": ["–", "0.650", "0.750", "2"],
        "sa_unet": ["0.600", "0.620", "0.620", "1"],
    }


def test_the_figure_has_a_line_and_a_point_for_each_model(table):
    time, work, size = training_curves.cost(table).axes
    assert [len(axes.lines) for axes in (time, work, size)] == [2, 2, 2]
    spans = {line.get_label(): line.get_xdata()[[0, -1]].tolist() for line in time.lines}
    assert spans == {"unet": pytest.approx([2, 8]), "sa_unet": pytest.approx([0.5, 2])}


def test_records_without_times_have_none(tmp_path):
    made = trained("unet", [0.5], 10.0)
    untimed = [{"epoch": 1, "loss": 1.0, "val_loss": 1.0, "val_dice": 0.5}]
    fabricate.archive([replace(made, history=untimed)], tmp_path)
    comparison = compare(tmp_path)
    assert comparison.tables[0].budgets is None
    assert training_curves.cost(comparison.tables[0]) is None
    assert budget_rows.TITLE not in to_markdown(comparison)
