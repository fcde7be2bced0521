"""The challenges' ranking, worked by hand, and its permutation test against chance."""

from math import comb

import fabricate
import numpy as np
import pytest

from benchmarks.comparison.compare import compare
from benchmarks.comparison.judging.challenge_ranks import challenge_ranks
from benchmarks.tables.markdown import to_markdown

COLUMNS = ("dice", "hd95")
NAN = np.nan


def ranked(dice, hd95, models="abc", columns=COLUMNS):
    """Rank by `(patients, models)` of one region, or of several behind them."""
    found = np.stack([np.asarray(dice, float), np.asarray(hd95, float)], axis=-1)
    return challenge_ranks(found if found.ndim == 4 else found[:, :, None], list(models), columns)


def test_by_hand():
    # Dice 1 2 3 and 2 1 3, distances (less is better) 1.5 1.5 3 and 3 1 2: sums 7.5, 5.5, 11.
    found = ranked([[0.9, 0.8, 0.1], [0.5, 0.6, 0.4]], [[3, 3, 9], [30, 1, 2]])
    assert found.metrics == COLUMNS
    assert found.mean_ranks == pytest.approx({"b": 5.5 / 4, "a": 7.5 / 4, "c": 11 / 4})
    assert list(found.mean_ranks) == ["b", "a", "c"]
    # The models came as a, b, c: one pair of three has changed places.
    assert found.tau == pytest.approx(1 / 3)


def test_a_model_without_a_value_comes_last():
    found = ranked([[0.9, NAN, 0.1], [0.9, 0.8, 0.1]], [[1.0, NAN, 2.0], [1.0, 1.5, 2.0]])
    assert found.mean_ranks == {"a": 1, "b": 2.5, "c": 2.5}


def test_by_lesions_only_where_every_model_was_scored_so():
    columns = (*COLUMNS, "lesion_dice", "lesion_hd95")
    scores = np.random.default_rng(0).random((4, 2, 3, 4))
    assert challenge_ranks(scores, ["a", "b"], columns).metrics == columns[2:]
    scores[:, 1, :, 2:] = NAN
    assert challenge_ranks(scores, ["a", "b"], columns).metrics == COLUMNS
    scores[:, 1, :, 1] = NAN
    assert challenge_ranks(scores, ["a", "b"], columns) is None


def test_ten_patients_alike_are_as_rare_as_ten_heads():
    found = ranked([[0.9, 0.8]] * 10, [[1, 2]] * 10, "ab")
    assert found.p["a", "b"] == pytest.approx(2 / 2**10, rel=0.15)


def test_a_sum_of_signs_follows_the_binomial():
    # Seven patients for, three against: as far from five is 0 to 3 and 7 to 10 heads of ten.
    sides = [[0.9, 0.8]] * 7 + [[0.8, 0.9]] * 3
    found = ranked(sides, [[1, 1]] * 10, "ab")
    chance = 2 * sum(comb(10, heads) for heads in range(4)) / 2**10
    assert found.p["a", "b"] == pytest.approx(chance, rel=0.03)


def test_models_that_are_alike_are_told_apart_once_in_twenty():
    generator = np.random.default_rng(3)
    made = (challenge_ranks(generator.random((12, 2, 3, 2)), "ab", COLUMNS) for _ in range(60))
    assert np.mean([min(found.p.values()) < 0.05 for found in made]) < 0.15


def test_tables_of_several_regions_show_it(tmp_path):
    means = {"unet": 0.8, "sa_unet": 0.6, "mod_r2au": 0.7}
    records = [
        fabricate.a_record(model, np.linspace(dice, dice + 0.1, 12), regions=("WT", "TC", "ET"))
        for model, dice in means.items()
    ]
    fabricate.archive(records, tmp_path)
    comparison = compare(tmp_path)
    text = to_markdown(comparison)
    assert list(comparison.tables[0].challenge.mean_ranks) == ["unet", "mod_r2au", "sa_unet"]
    assert "Ranked as BraTS challenges rank" in text
    assert "| unet | 1.00 | 1 | 1 | mod_r2au and sa_unet |" in text.replace("\\", "")


def test_tables_of_one_region_do_not(tmp_path):
    fabricate.archive([fabricate.a_record("unet"), fabricate.a_record("sa_unet")], tmp_path)
    assert compare(tmp_path).tables[0].challenge is None
