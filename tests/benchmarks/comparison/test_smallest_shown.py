"""The smallest difference that a table could have shown, against simulated paired tests."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.comparison.judging import smallest_shown
from benchmarks.comparison.judging.seed_scatter import Scatter


def test_a_paired_test_finds_it_in_four_of_five_samples():
    generator = np.random.default_rng(0)
    n = 20
    gaps = generator.normal(0, 0.1, n)
    gaps = (gaps - gaps.mean()) / gaps.std(ddof=1) * 0.1
    least = smallest_shown.of_patients(np.stack([0.5 + gaps, np.full(n, 0.5)], axis=1))
    drawn = generator.normal(least, 0.1, (4000, n))
    found = stats.ttest_1samp(drawn, 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.03)


def test_nothing_is_said_of_one_model_two_patients_or_one_seed():
    assert smallest_shown.of_patients(np.ones((5, 1))) is None
    assert smallest_shown.of_patients(np.ones((2, 3))) is None
    assert smallest_shown.of_seeds(Scatter(float("nan"), 0, {"a": 1})) is None


def test_more_seeds_show_smaller_differences():
    few = smallest_shown.of_seeds(Scatter(0.02, 2, {"a": 2, "b": 2}))
    many = smallest_shown.of_seeds(Scatter(0.02, 8, {"a": 5, "b": 5}))
    assert many < few / 2
