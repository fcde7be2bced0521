"""Statistics against closed forms, hand-worked examples and simulation."""

import numpy as np
import pytest
from scipy import stats

from benchmarks import statistics


def _dice_like(generator, patients, draws):
    """Skewed scores with misses, as Dice is: a tenth are 0, the others Beta(12, 3)."""
    scores = generator.beta(12, 3, (patients, draws))
    scores[generator.random(scores.shape) < 0.1] = 0
    return scores, 0.9 * 12 / 15


@pytest.mark.parametrize("shape", ["beta", "normal", "dice_like"])
def test_intervals_cover_at_the_nominal_rate(shape):
    generator, patients, draws = np.random.default_rng(5), 60, 500
    if shape == "beta":
        scores, truth = generator.beta(8, 2, (patients, draws)), 0.8
    elif shape == "normal":
        scores, truth = generator.normal(0.5, 0.1, (patients, draws)), 0.5
    else:
        scores, truth = _dice_like(generator, patients, draws)
    found = statistics.intervals(scores)
    coverage = ((found.lower <= truth) & (truth <= found.upper)).mean()
    assert 0.93 <= coverage <= 0.97


def test_small_samples_are_not_overconfident():
    scores = np.random.default_rng(2).normal(0, 1, (10, 500))
    found = statistics.intervals(scores)
    assert ((found.lower <= 0) & (found.upper >= 0)).mean() >= 0.925


def test_intervals_of_a_normal_sample_equal_students_t():
    scores = np.random.default_rng(0).normal(0.8, 0.05, (400, 1))
    found = statistics.intervals(scores)
    error = scores.std(ddof=1) / np.sqrt(400)
    expected = stats.t.interval(0.95, 399, loc=scores.mean(), scale=error)
    assert found.lower[0] == pytest.approx(expected[0], abs=0.1 * error)
    assert found.upper[0] == pytest.approx(expected[1], abs=0.1 * error)


def test_intervals_are_scipys_bca_but_for_the_expansion():
    scores = np.random.default_rng(3).beta(5, 2, 300)
    found = statistics.intervals(scores[:, None])
    expected = stats.bootstrap(
        (scores,), np.mean, n_resamples=10_000, method="BCa", rng=np.random.default_rng(9)
    ).confidence_interval
    width = expected.high - expected.low
    assert found.lower[0] == pytest.approx(expected.low, abs=0.05 * width)
    assert found.upper[0] == pytest.approx(expected.high, abs=0.05 * width)


def test_intervals_are_seeded_and_within_range():
    scores = np.random.default_rng(0).beta(20, 1, (12, 3))
    first, second = statistics.intervals(scores), statistics.intervals(scores)
    np.testing.assert_array_equal(first.lower, second.lower)
    assert (first.lower >= scores.min(axis=0)).all()
    assert (first.upper <= scores.max(axis=0)).all()


def test_undefined_scores_are_left_out_not_spread():
    scores = np.array([[0.5, 0.5], [0.7, np.nan], [0.9, 0.9], [0.6, 0.6]])
    found = statistics.intervals(scores)
    assert found.mean == pytest.approx([0.675, 2 / 3])
    assert np.isfinite(found.lower).all()
    nothing = statistics.intervals(np.full((4, 1), np.nan))
    assert np.isnan([nothing.mean, nothing.lower, nothing.upper]).all()


def test_one_patient_has_a_mean_and_no_interval():
    found = statistics.intervals(np.array([[0.8]]))
    assert found.mean[0] == 0.8
    assert np.isnan(found.lower[0])
    assert np.isnan(found.upper[0])


def test_no_patient_has_nothing():
    assert np.isnan(statistics.intervals(np.empty((0, 2))).mean).all()


def test_equal_scores_have_an_interval_of_no_width():
    found = statistics.intervals(np.full((20, 1), 0.7))
    assert (found.lower[0], found.upper[0]) == pytest.approx((0.7, 0.7))


def test_holm_by_hand():
    # Sorted .005 .01 .03 .04 times 4 3 2 1: .02 .03 .06 .04, then never falling.
    adjusted = statistics.holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_stops_at_one_and_passes_over_the_undefined():
    adjusted = statistics.holm(np.array([0.6, np.nan, 0.5]))
    assert adjusted[[0, 2]] == pytest.approx([1.0, 1.0])
    assert np.isnan(adjusted[1])
    assert statistics.holm(np.array([])).size == 0


def test_wilcoxon_traps():
    assert statistics.paired_p(np.zeros(8)) == 1.0
    assert statistics.paired_p(np.full(3, np.nan)) == 1.0
    assert statistics.paired_p(np.array([0.1, 0.2, 0.3, 0.4, 0.5])) == pytest.approx(0.0625)
    poisoned = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, np.nan])
    assert statistics.paired_p(poisoned) == pytest.approx(2 / 2**6)


def test_rank_biserial_by_hand():
    # Ranks of |d|: .1 -> 1, .2 -> 2, .3 -> 3; (3 + 1 - 2) / 6.
    assert statistics.rank_biserial(np.array([0.3, -0.2, 0.1])) == pytest.approx(1 / 3)
    assert statistics.rank_biserial(np.array([0.3, 0.2, 0.1, np.nan])) == 1.0
    assert statistics.rank_biserial(np.zeros(4)) == 0.0


def test_ties_share_the_better_rank():
    means = np.array([0.7, 0.9, 0.9, np.nan, 0.5])
    assert statistics.ranks(means).tolist() == [3, 1, 1, 5, 4]
    assert statistics.ranks(means, lower_is_better=True).tolist() == [2, 3, 3, 5, 1]


def test_rank_intervals_tell_the_certain_from_the_open():
    generator = np.random.default_rng(1)
    difficulty = generator.normal(0, 0.05, (80, 1))
    scores = np.array([0.9, 0.7, 0.7]) + difficulty + generator.normal(0, 0.02, (80, 3))
    lower, upper = statistics.rank_intervals(scores)
    assert (lower[0], upper[0]) == (1, 1)
    assert (lower[1:].min(), upper[1:].max()) == (2, 3)


def test_one_column_always_ranks_first():
    lower, upper = statistics.rank_intervals(np.array([[0.5], [0.6], [0.4]]))
    assert (lower[0], upper[0]) == (1, 1)
