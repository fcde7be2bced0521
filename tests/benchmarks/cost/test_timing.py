"""The stop-watch: what it counts, and what it leaves out."""

import time

import numpy as np
import pytest
from keras import layers, models

from benchmarks.cost import timing


def test_slow_first_call_is_compilation_and_not_latency():
    calls = []

    def step():
        calls.append(None)
        time.sleep(0.2 if len(calls) == 1 else 0.001)

    measured = timing.measure(step, budget_s=0, least=7)
    assert measured.repeats == 7
    assert len(calls) == 9  # two of warm-up
    assert measured.compile_s > 0.05 > measured.p50
    assert measured.p50 <= measured.p95
    assert measured.joules is None or measured.joules >= 0


def test_budget_bounds_the_repeats():
    measured = timing.measure(lambda: time.sleep(0.01), budget_s=0.2, least=2)
    assert 2 <= measured.repeats <= 21


def test_rates_and_percentiles():
    measured = timing.Timing(p50=0.5, p95=0.75, repeats=9, compile_s=1.0)
    assert measured.per_second(4) == 8
    assert measured.milliseconds() == {"p50": 500, "p95": 750}


def small_model(classes=1):
    activation = "sigmoid" if classes == 1 else "softmax"
    return models.Sequential(
        [layers.Input((8, 8, 3)), layers.Conv2D(classes, 1, activation=activation)]
    )


@pytest.mark.parametrize("jit", [False, True])
def test_inference_step_returns_the_batch(jit):
    output = timing.inference_step(small_model(), 3, jit)()
    assert tuple(output.shape) == (3, 8, 8, 1)


@pytest.mark.parametrize("classes", [1, 4])
def test_training_step_changes_the_weights(classes):
    model = small_model(classes)
    before = model.get_weights()[0].copy()
    timing.training_step(model, 2, jit=False)()
    assert np.abs(model.get_weights()[0] - before).max() > 0


def test_peak_is_that_of_a_matrix_product(monkeypatch):
    monkeypatch.setattr(timing, "MATRIX_SIDE", {"cpu": 64, "gpu": 64})
    assert timing.peak_gflops("float32", budget_s=0) > 0
