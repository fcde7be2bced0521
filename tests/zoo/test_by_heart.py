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
# Steps and rate: the second for those that are deep, or have nothing that normalises.
TRIES = ((150, 5e-3), (300, 2e-3))
KNOWN = 0.95
LEARNS, PART = "learns by heart", "learns by heart in inference"


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request) -> Case:
    if request.param.rank == 3 and 2 in zoo.card(request.param.name).ranks:
        pytest.skip("the same file in 2D")
    return request.param


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def learned(case: Case, x, y) -> keras.Model:
    """Train until the four slices are known with the statistics of their batch."""
    width = Tried(case.name, case.rank).width  # eight channels: two can't learn four slices
    for steps, rate in TRIES:
        keras.utils.set_random_seed(0)
        # Without DropBlock, which is there to prevent what is tried here.
        settings = {"keep": 1.0} if case.name == "sa_unet" else {}
        model = zoo.create(case.name, x.shape[1:], 1, case.variant, width, **settings)
        schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
        model.compile(keras.optimizers.Adam(schedule), loss=losses.create("bce+dice"))
        for _ in range(steps):
            model.train_on_batch(x, y)
        if dice(y, model(x, training=True)) >= KNOWN:
            return model
    pytest.fail(f"{case} does not learn four slices: {dice(y, model(x, training=True)):.3f}")


def dice(y, answer) -> float:
    """Return the mean Dice over the samples."""
    found, axes = np.asarray(answer) > 0.5, tuple(range(1, y.ndim))
    overlap = (found * y).sum(axes)
    return float((2 * overlap / (found.sum(axes) + y.sum(axes))).mean())


def exempt(case: Case, part: str) -> bool:
    return (case.variant or "") in zoo.card(case.name).exempt.get(part, {})


def test_what_is_learned_by_heart_is_known_in_inference(case, cache):
    if exempt(case, LEARNS):
        pytest.skip(zoo.card(case.name).exempt[LEARNS][case.variant or ""])
    x, y = by_heart.samples(case.rank, cache)
    model = learned(case, x, y)
    if not exempt(case, PART):
        assert dice(y, model(x, training=False)) >= KNOWN


def test_exemptions_name_forms_that_exist():
    for name in zoo.names():
        card = zoo.card(name)
        for part, forms in card.exempt.items():
            assert part in (LEARNS, PART)
            assert set(forms) <= {"", *card.variants}
            assert all(forms.values())
