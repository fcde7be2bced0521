"""Intervals against closed forms of the Beta distribution, hand-worked sums and simulation."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.comparison.judging import differences, intervals
from benchmarks.comparison.judging.intervals import Intervals


def of(*scores, **more):
    found = intervals.intervals(np.array(scores, float)[:, None], **more)
    return float(found.lower[0]), float(found.upper[0])


@pytest.mark.parametrize(("patients", "score"), [(5, 0.8), (13, 0.75), (64, 0.9), (20, 1.0)])
def test_patients_alike_have_the_interval_of_a_beta(patients, score):
    # Of n patients' weight and half a patient's, the half has the share Beta(1/2, n).
    further = stats.beta(0.5, patients).ppf(0.975)
    expected = score * (1 - further), score + (1 - score) * further
    assert of(*[score] * patients) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(("found", "missed"), [(12, 1), (4, 1), (15, 5), (60, 4)])
def test_found_or_missed_has_the_interval_of_a_beta(found, missed):
    scores = [1.0] * found + [0.0] * missed
    expected = (
        stats.beta(found, missed + 0.5).ppf(0.025),
        stats.beta(found + 0.5, missed).ppf(0.975),
    )
    assert of(*scores) == pytest.approx(expected, abs=0.008)


def test_many_patients_have_students_interval():
    scores = np.random.default_rng(0).beta(8, 2, 2000)
    error = scores.std(ddof=1) / np.sqrt(2000)
    expected = stats.t.interval(0.95, 1999, loc=scores.mean(), scale=error)
    assert of(*scores) == pytest.approx(expected, abs=0.2 * error)


def test_distances_are_shares_of_the_penalty_from_the_other_side():
    scores = np.random.default_rng(1).beta(6, 2, 13)
    lower, upper = of(*scores)
    mirrored = of(*(374 * (1 - scores)), ends=(0.0, 374.0))
    assert mirrored == pytest.approx((374 * (1 - upper), 374 * (1 - lower)), abs=0.05)


def test_an_end_that_is_not_known_lies_as_far_out_as_the_patients_lie_apart():
    scores = [0.99, 0.98, 0.995, 0.985, 0.97]  # .025 apart
    assert of(*scores, ends=(np.nan, 1.0)) == of(*scores, ends=(0.945, 1.0))
    distances = [3.0, 5.0, 9.0]
    assert of(*distances, ends=(0.0, np.nan)) == of(*distances, ends=(0.0, 15.0))
    assert of(1.0, 9.0, 3.0, ends=(np.nan, 10.0)) == of(1.0, 9.0, 3.0, ends=(0.0, 10.0))


def test_a_whole_sample_without_a_miss_reckons_with_one():
    lower, upper = of(*np.linspace(0.75, 0.85, 13))
    assert lower < 0.70
    assert 0.80 < upper < 0.90


def test_intervals_are_seeded_and_within_the_ends():
    scores = np.random.default_rng(0).beta(20, 1, (12, 3))
    first, second = intervals.intervals(scores), intervals.intervals(scores)
    np.testing.assert_array_equal(first.lower, second.lower)
    assert (first.lower > 0).all()
    assert (first.upper <= 1).all()
    assert ((first.lower <= first.mean) & (first.mean <= first.upper)).all()


def test_undefined_scores_are_left_out_not_spread():
    scores = np.array([[0.5, 0.5], [0.7, np.nan], [0.9, 0.9], [0.6, 0.6]])
    found = intervals.intervals(scores)
    assert found.mean == pytest.approx([0.675, 2 / 3])
    alone = of(0.5, 0.9, 0.6)
    assert (found.lower[1], found.upper[1]) == pytest.approx(alone, abs=0.015)
    nothing = intervals.intervals(np.full((4, 1), np.nan))
    assert np.isnan([nothing.mean, nothing.lower, nothing.upper]).all()


def test_one_patient_has_a_mean_and_no_interval_and_nobody_has_nothing():
    found = intervals.intervals(np.array([[0.8]]))
    assert found.mean[0] == 0.8
    assert np.isnan([found.lower[0], found.upper[0]]).all()
    assert np.isnan(intervals.intervals(np.empty((0, 2))).mean).all()


def test_more_patients_than_fit_into_memory_are_drawn_alike(monkeypatch):
    scores = np.random.default_rng(7).beta(8, 2, (50, 3))
    whole = intervals.intervals(scores, resamples=1000)
    monkeypatch.setattr(intervals, "AT_ONCE", 20_000)  # five patients at a time
    parts = intervals.intervals(scores, resamples=1000)
    np.testing.assert_allclose([parts.lower, parts.upper], [whole.lower, whole.upper], rtol=1e-12)


def test_a_ratio_of_sums_weighs_patients_and_a_mean_is_one():
    scores = np.random.default_rng(2).random((13, 1))
    ones = np.ones_like(scores)
    assert intervals.of_ratios(scores, ones).lower == intervals.intervals(scores).lower
    weights = np.array([[1.0], [9.0], [2.0]])
    assert intervals.of_ratios(weights * [[0.5], [0.9], [0.1]], weights).mean == pytest.approx(
        8.8 / 12
    )


def _samples(missed, patients, number=600):
    """Return skewed scores of which some are 0, and their true mean."""
    generator = np.random.default_rng(5)
    scores = generator.beta(12, 3, (patients, number))
    scores[generator.random(scores.shape) < missed] = 0
    return scores, (1 - missed) * 12 / 15


@pytest.mark.parametrize("patients", [5, 8, 13, 20, 64])
@pytest.mark.parametrize("missed", [0.0, 0.05, 0.1, 0.2])
def test_few_patients_hold_the_true_mean_as_often_as_nominal(missed, patients):
    scores, truth = _samples(missed, patients)
    found = intervals.intervals(scores, resamples=2000)
    assert ((found.lower <= truth) & (truth <= found.upper)).mean() >= 0.935


def a(mean, lower, upper):
    return Intervals(*(np.array([value]) for value in (mean, lower, upper)))


@pytest.mark.parametrize(
    ("correlation", "down", "up"),
    [(0.0, np.hypot(0.3, 0.1), np.hypot(0.1, 0.2)), (1.0, 0.2, 0.1), (0.5, 0.07**0.5, 0.03**0.5)],
)
def test_a_difference_by_hand(correlation, down, up):
    # .3 below and .1 above the first mean, .2 below and .1 above the second.
    found = differences.difference(a(0.8, 0.5, 0.9), a(0.6, 0.4, 0.7), correlation)
    told = (found.mean[0], found.lower[0], found.upper[0])
    assert told == pytest.approx((0.2, 0.2 - down, 0.2 + up))


FIRST, SECOND = np.array([0]), np.array([1])


def test_a_paired_difference_uses_the_patients_that_both_have():
    scores = np.array([[0.5, 0.4], [0.9, np.nan], [0.6, 0.55], [0.8, 0.6], [np.nan, 0.1]])
    shared = scores[[0, 2, 3]]
    found = differences.paired(scores, FIRST, SECOND)
    assert found.mean[0] == pytest.approx((shared[:, 0] - shared[:, 1]).mean())
    alone = differences.paired(shared, FIRST, SECOND)
    assert found.lower[0] == pytest.approx(alone.lower[0], abs=0.02)


def test_a_paired_difference_is_never_surer_than_students_t():
    scores = np.random.default_rng(3).beta(6, 2, (9, 2))
    found = differences.paired(scores, FIRST, SECOND)
    gaps = scores[:, 0] - scores[:, 1]
    expected = stats.t.interval(0.95, 8, loc=gaps.mean(), scale=stats.sem(gaps))
    assert found.lower[0] <= expected[0] + 1e-12
    assert found.upper[0] >= expected[1] - 1e-12


def test_the_other_way_round_is_the_mirror():
    scores = np.random.default_rng(3).beta(6, 2, (9, 2))
    one, other = (
        differences.paired(scores, FIRST, SECOND),
        differences.paired(scores, SECOND, FIRST),
    )
    assert one.lower[0] == pytest.approx(-other.upper[0])


@pytest.mark.parametrize("patients", [5, 13, 64])
def test_differences_hold_where_one_of_two_models_misses(patients):
    generator, number = np.random.default_rng(6), 400
    ease = generator.normal(0, 0.08, (patients, number))
    first, second = (0.8 + ease + generator.normal(0, 0.03, ease.shape) for _ in range(2))
    second[generator.random(second.shape) < 0.06] = 0
    scores = np.clip(np.hstack([first, second]), 0, 1)
    truth = np.clip(0.8 + generator.normal(0, np.hypot(0.08, 0.03), 100_000), 0, 1).mean() * 0.06
    sides = np.arange(number), number + np.arange(number)
    found = differences.paired(scores, *sides, resamples=2000)
    assert ((found.lower <= truth) & (truth <= found.upper)).mean() >= 0.93
