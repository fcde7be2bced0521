"""Four slices learned by heart must be known in inference, where moving statistics normalise.

A network can reach a loss of nothing with the statistics of its batch and still answer wrongly with
those that it keeps. No test in training mode sees that, and short trainings hide it.
"""

import keras
import numpy as np
import pytest
from cases import CASES, Case

import zoo
from benchmarks.contract import by_heart
from benchmarks.contract.checks import Tried
from benchmarks.training import losses

pytestmark = pytest.mark.slow
STEPS = 150
PART = "learns by heart in inference"


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request) -> Case:
    if request.param.rank == 3 and 2 in zoo.card(request.param.name).ranks:
        pytest.skip("the same file in 2D")
    return request.param


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def learned(case: Case, x, y) -> keras.Model:
    keras.utils.set_random_seed(0)
    # Without DropBlock, which is there to prevent what is tried here.
    settings = {"keep": 1.0} if case.name == "sa_unet" else {}
    width = Tried(case.name, case.rank).width  # eight channels: two can't learn four slices
    model = zoo.create(case.name, x.shape[1:], 1, case.variant, width, **settings)
    rate = keras.optimizers.schedules.CosineDecay(5e-3, STEPS)
    model.compile(keras.optimizers.Adam(rate), loss=losses.create("bce+dice"))
    for _ in range(STEPS):
        model.train_on_batch(x, y)
    return model


def dice(y, answer) -> float:
    """Return the mean Dice over the samples."""
    found, axes = np.asarray(answer) > 0.5, tuple(range(1, y.ndim))
    overlap = (found * y).sum(axes)
    return float((2 * overlap / (found.sum(axes) + y.sum(axes))).mean())


def test_what_is_learned_by_heart_is_known_in_inference(case, cache):
    x, y = by_heart.samples(case.rank, cache)
    model = learned(case, x, y)
    assert dice(y, model(x, training=True)) >= 0.95
    if (case.variant or "") not in zoo.card(case.name).exempt.get(PART, {}):
        assert dice(y, model(x, training=False)) >= 0.95


def test_exemptions_name_forms_that_exist():
    for name in zoo.names():
        card = zoo.card(name)
        for part, forms in card.exempt.items():
            assert part == PART
            assert set(forms) <= {"", *card.variants}
            assert all(forms.values())
