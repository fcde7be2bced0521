"""Each architecture against a plain PyTorch form of its source, weight for weight.

A form is a file in `sources` with `FORMS`, a literal of (input_shape, classes, variant), and
`network(input_shape, classes, width, variant)`, a module that returns logits, named as our layers;
where `mask` is no activation of logits, it returns what `mask` does.
Equal counts can hide a wrong order, a wrong border or a wrong slope; these can't.
`make fidelity` writes how far they are apart into docs/fidelity.md.
"""

import importlib.util

import numpy as np
import pytest
from sources.listing import forms, named

pytestmark = pytest.mark.backends
CLOSE = 1e-4  # of the largest value
if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed: make test-backends installs it", allow_module_level=True)


@pytest.fixture(params=forms(), ids=named, scope="module")
def both(request):
    """A model, its torch form with the same weights, and two images."""
    from sources import comparison

    with comparison.computing():
        yield comparison.both(request.param)


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_the_answer_is_the_sources(both, training):
    from sources.comparison import answers, apart

    ours, theirs = answers(both, training)
    assert np.ptp(ours) > 1e-2, "a constant answer would agree with anything"
    assert apart(ours, theirs) <= CLOSE


def test_the_gradients_are_the_sources(both):
    from sources.comparison import gradients, gradients_apart

    for name, distance in gradients_apart(gradients(both)).items():
        assert distance <= CLOSE, name
