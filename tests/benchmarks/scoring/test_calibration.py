"""Calibration against scikit-learn, hand formulas and its own sums in another order."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from benchmarks.errors import UserError
from benchmarks.scoring import calibration


def test_by_hand():
    truth = np.array([1, 0, 1, 0, 0], dtype=bool)
    guess = np.array([0.9, 0.8, 0.6, 0.1, 0.2])
    found = calibration.measure(truth, guess, bins=2)
    # Upper bin: mean .7667, two of three; lower bin: mean .15, none of two.
    assert found.ece == pytest.approx((abs(2.3 - 2) + 0.3) / 5)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.16 + 0.01 + 0.04) / 5)
    lower, upper = found.reliability()
    assert (lower["voxels"], lower["frequency"]) == (2, 0)
    assert (upper["from"], upper["to"]) == (0.5, 1)
    assert upper["probability"] == pytest.approx(2.3 / 3)
    assert upper["frequency"] == pytest.approx(2 / 3)


def test_certain_and_right_is_perfect_and_certain_and_wrong_is_worst():
    truth = np.array([[True, False]])
    assert calibration.measure(truth, truth.astype(float)).ece == 0
    assert calibration.measure(truth, truth.astype(float)).brier == 0
    assert calibration.measure(truth, 1.0 - truth).ece == 1
    assert calibration.measure(truth, 1.0 - truth).brier == 1


def test_equals_scikit_learn():
    random = np.random.default_rng(0)
    guess = random.random(20_000)
    truth = random.random(20_000) < guess**2
    found = calibration.measure(truth, guess, bins=10)
    frequency, probability = calibration_curve(truth, guess, n_bins=10)
    bins = found.reliability()
    assert [point["frequency"] for point in bins] == pytest.approx(frequency.tolist())
    assert [point["probability"] for point in bins] == pytest.approx(probability.tolist())
    assert found.brier == pytest.approx(sklearn_metrics.brier_score_loss(truth, guess))
    share = np.array([point["voxels"] for point in bins]) / 20_000
    assert found.ece == pytest.approx(share @ np.abs(frequency - probability))


def test_honest_probabilities_are_calibrated():
    random = np.random.default_rng(1)
    guess = random.random(200_000)
    assert calibration.measure(random.random(200_000) < guess, guess).ece < 0.01
    assert calibration.measure(random.random(200_000) < guess**3, guess).ece > 0.2


@given(hnp.arrays(np.float32, 60, elements=st.floats(0, 1, width=32)), st.integers(1, 59))
@settings(max_examples=50, deadline=None)
def test_patients_may_come_one_at_a_time(guess, cut):
    truth = np.arange(60) % 3 == 0
    whole = calibration.measure(truth, guess)
    parts = sum(
        (calibration.measure(truth[part], guess[part]) for part in (slice(cut), slice(cut, None))),
        calibration.empty(),
    )
    assert parts.ece == pytest.approx(whole.ece)
    assert parts.brier == pytest.approx(whole.brier)
    assert np.array_equal(parts.voxels, whole.voxels)


def test_large_volumes_are_cut_without_a_seam(monkeypatch):
    random = np.random.default_rng(2)
    guess = random.random((7, 11, 13), dtype=np.float32)
    truth = guess > 0.4
    whole = calibration.measure(truth, guess)
    monkeypatch.setattr(calibration, "_CHUNK", 10)
    cut = calibration.measure(truth, guess)
    assert (cut.ece, cut.brier) == (pytest.approx(whole.ece), pytest.approx(whole.brier))


def test_no_voxel_has_no_calibration():
    nothing = calibration.empty()
    assert nothing.ece is nothing.brier is None
    assert all(point["frequency"] is None for point in nothing.reliability())


def test_survives_json():
    found = calibration.measure(np.array([True, False]), np.array([1.0, 0.25]))
    stored = calibration.from_dict(json.loads(json.dumps(found.as_dict(), allow_nan=False)))
    assert stored.as_dict() == found.as_dict()
    assert (stored.ece, stored.brier) == (found.ece, found.brier)


@pytest.mark.parametrize("wrong", [1.5, -0.1, np.nan])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(UserError, match="sigmoid or softmax"):
        calibration.measure(np.array([True, False]), np.array([0.5, wrong]))


def test_another_shape_is_refused():
    with pytest.raises(UserError, match="shape"):
        calibration.measure(np.zeros((4, 4), dtype=bool), np.zeros((4, 4, 1)))
