"""Tests, effects and ranks against closed forms, hand-worked examples and simulation."""

import numpy as np
import pytest

from benchmarks.comparison.judging import statistics


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


@pytest.mark.parametrize("patients", [5, 13, 40])
def test_rank_intervals_hold_the_true_ranks_of_few_patients(patients):
    generator, held = np.random.default_rng(4), []
    for _ in range(60):
        ease = generator.normal(0, 0.1, (patients, 1))
        scores = np.linspace(0.8, 0.6, 6) + ease + generator.normal(0, 0.1, (patients, 6))
        lower, upper = statistics.rank_intervals(scores, resamples=1000)
        held.append((lower <= np.arange(1, 7)) & (np.arange(1, 7) <= upper))
    assert np.mean(held) >= 0.94
