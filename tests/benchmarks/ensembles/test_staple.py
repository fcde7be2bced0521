"""STAPLE against SimpleITK's filter, whose values stand here, and where it must beat a vote."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ensembles import ensemble, staple
from benchmarks.errors import UserError

RIGHT = ((0.95, 0.99), (0.8, 0.995), (0.6, 0.97), (0.9, 0.9))  # inside, outside
# SimpleITK 2.5.7, STAPLEImageFilter, by the votes of the four masks below as bits.
SIMPLE_ITK = (
    *(6.9e-05, 0.097378, 0.066308, 0.991086, 0.002872, 0.818459, 0.74797, 0.999785),
    *(0.005393, 0.894608, 0.848203, 0.999886, 0.18473, 0.997189, 0.995736, 0.999997),
)


@pytest.fixture(scope="module")
def truth():
    made = np.zeros((20, 30, 30), bool)
    made[5:15, 8:20, 8:22] = True
    return made


@pytest.fixture(scope="module")
def masks(truth):
    chance = np.random.default_rng(0)
    return [
        np.where(truth, chance.random(truth.shape) < p, chance.random(truth.shape) < 1 - q)
        for p, q in RIGHT
    ]


def patterns(masks):
    return sum(mask.astype(np.uint16) << place for place, mask in enumerate(masks))


def test_probabilities_are_those_of_simple_itk(masks):
    votes = patterns(masks)
    found = staple.weigh(votes, 4)
    np.testing.assert_allclose(found, np.array(SIMPLE_ITK)[votes], atol=2e-6)


def test_masks_that_are_right_more_often_count_more_than_a_vote(masks, truth):
    by_staple = (staple.weigh(patterns(masks), 4) >= 0.5) != truth
    by_vote = (np.mean(masks, axis=0) > 0.5) != truth
    assert by_staple.mean() < by_vote.mean() / 3


@pytest.mark.parametrize("value", [0, 1])
def test_masks_that_all_say_the_same_are_believed(value):
    votes = np.full((2, 3), 7 * value, np.uint16)
    np.testing.assert_array_equal(staple.weigh(votes, 3), np.full((2, 3), value))


def test_an_ensemble_asks_staple_of_each_class(masks):
    foreground = [mask.astype(np.float32)[..., None] for mask in masks]
    one = [lambda _, answer=answer: answer for answer in foreground]
    found = ensemble.Ensemble(one, [0.5] * 4, "staple")(None)
    np.testing.assert_allclose(found[..., 0], np.array(SIMPLE_ITK)[patterns(masks)], atol=2e-6)
    two = [
        lambda _, answer=answer: np.concatenate([1 - answer, answer], -1) for answer in foreground
    ]
    both = ensemble.Ensemble(two, [0.5] * 4, "staple")(None)
    np.testing.assert_allclose(both.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_array_equal(both.argmax(axis=-1), found[..., 0] > 0.5)


def test_more_masks_than_there_are_bits_are_refused():
    with pytest.raises(UserError, match="at most 16 networks for STAPLE"):
        ensemble.usage([Path("a")] * 17, "staple")
