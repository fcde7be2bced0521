import itertools
import math
import sys
import time

import keras
import numpy as np
import pytest
import tiny

import zoo
from benchmarks.protocols.protocol import Training
from benchmarks.training import display, optimiser, train
from benchmarks.training.checkpoint import Checkpoints
from benchmarks.training.display import Display
from data_pipeline.feeding.wait_time import watched, watched_dataset
from zoo import weights


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny.load(tmp_path_factory.mktemp("cache"))


def run(data, folder, model=None, show=None, **training):
    model = model or tiny.network()
    checkpoints = Checkpoints(folder, {})
    state = train.train(model, data, tiny.protocol(**training), checkpoints, show or Display())
    return model, state


def test_training_learns_and_leaves_the_best_weights_in(data, tmp_path, capsys):
    show = display.Lines("tiny", 8, data.steps_per_epoch, file=sys.stderr)
    _, state = run(data, tmp_path, show=show, epochs=8, learning_rate=3e-3)
    history = state.history
    assert [row["epoch"] for row in history] == list(range(1, 9))
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    assert state.best_dice == max(row["val_dice"] for row in history)
    assert state.stopped == "epochs"
    assert all(0 <= row["data_wait_share"] <= 1 for row in history)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 8
    assert lines[0].startswith("tiny: epoch 1/8  loss ")
    for word in ("val Dice", "images/s", "waiting for data", "left"):
        assert word in lines[0]


def test_the_step_is_traced_once(data, tmp_path, monkeypatch):
    traces = []

    def counting(name, settings=None, exclusive=False):
        def loss(y, p):
            traces.append(1)
            return keras.ops.mean((keras.ops.cast(y, "float32") - p) ** 2, axis=(1, 2, 3))

        return loss

    monkeypatch.setattr(train.losses, "create", counting)
    monkeypatch.setattr(train.evaluate, "validate", lambda *_: (0.5, 0.5))
    run(data, tmp_path, epochs=3)
    assert len(traces) == 1


def test_a_step_in_one_graph_gives_the_weights_that_keras_own_gives(data, tmp_path, monkeypatch):
    one, state = run(data, tmp_path / "one", epochs=2)
    monkeypatch.setattr(train.programs, "train_in_one_graph", lambda _: None)
    keras_own, expected = run(data, tmp_path / "keras", epochs=2)
    assert one.train_function is not keras_own.train_function
    for ours, theirs in zip(one.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)  # threads add in any order
    losses = [[row["loss"] for row in both.history] for both in (state, expected)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_early_stopping(data, tmp_path, monkeypatch):
    monkeypatch.setattr(train.evaluate, "validate", lambda *_: (0.5, 0.5))
    _, state = run(data, tmp_path, epochs=9, early_stopping=2)
    assert (state.epoch, state.best_epoch, state.stopped) == (3, 1, "early_stopping")


def test_a_loss_that_is_no_number_stops_the_training_and_keeps_the_checkpoint(
    data, tmp_path, monkeypatch
):
    protocol = tiny.protocol(epochs=3)
    monkeypatch.setattr("benchmarks.training.checkpoint.SHARE", 1e9)
    look = train.Supervisor.on_train_batch_end

    def poisoned(self, batch, logs=None):
        look(self, batch, {"loss": math.nan} if self.state.epoch == 1 else logs)

    monkeypatch.setattr(train, "LOOK", 0.0)
    monkeypatch.setattr(train.Supervisor, "on_train_batch_end", poisoned)
    with pytest.raises(train.TrainingError, match="loss became nan in epoch 2"):
        train.train(tiny.network(), data, protocol, Checkpoints(tmp_path, {}), Display())
    fresh = tiny.network(seed=1)
    train.compile_model(fresh, data, protocol)
    assert Checkpoints(tmp_path, {}).restore(fresh).epoch == 1
    assert np.isfinite(fresh.get_weights()[0]).all()


def test_an_exploding_training_fails_with_a_reason(data, tmp_path):
    # Without bounds on gradients, such a rate overflows float32 within an epoch.
    with pytest.raises(train.TrainingError, match="lower learning rate"):
        run(
            data,
            tmp_path,
            model=unbounded(),
            epochs=4,
            loss="bce",
            optimiser="sgd",
            learning_rate=1e38,
            schedule="constant",
            clip_norm=None,
        )


def unbounded():
    """A network whose weights overflow: no normalisation, no saturation on the way."""
    keras.utils.set_random_seed(0)
    image = keras.layers.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(image)
    x = keras.layers.Conv2D(1, 3, padding="same")(x)
    return keras.Model(image, keras.layers.Activation("sigmoid")(x * x - x))


def test_cosine_warms_up_and_ends_at_a_hundredth():
    rate = optimiser.cosine(Training(epochs=10, learning_rate=1e-2), 10)
    rates = [float(rate(step)) for step in range(101)]
    assert rates[0] == pytest.approx(1e-3)
    assert max(rates) == pytest.approx(1e-2)
    assert rates.index(max(rates)) == 5
    assert rates[100] == pytest.approx(1e-4)
    assert all(a >= b for a, b in itertools.pairwise(rates[5:]))


def test_plateau_lowers_the_rate(data, tmp_path, monkeypatch):
    monkeypatch.setattr(train.evaluate, "validate", lambda *_: (0.5, 0.5))
    settings = {"factor": 0.5, "patience": 1}
    _, state = run(
        data, tmp_path, epochs=4, schedule="plateau", schedule_settings=settings, learning_rate=0.01
    )
    rates = [row["learning_rate"] for row in state.history]
    assert rates == pytest.approx([0.01, 0.01, 0.005, 0.0025])


def test_float16_scales_the_loss_and_still_learns(data, tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        made = optimiser.create(Training(), 10)
        model = tiny.network()
        _, state = run(data, tmp_path, model=model, epochs=2)
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(made, keras.optimizers.LossScaleOptimizer)
    assert np.isfinite(state.history[-1]["loss"])
    assert isinstance(optimiser.create(Training(), 10), keras.optimizers.Adam)


def test_gradients_are_clipped_by_their_common_norm():
    made = optimiser.create(Training(clip_norm=0.5, schedule="constant", optimiser="sgd"), 1)
    assert made.global_clipnorm == 0.5


def test_waiting_is_measured_while_the_consumer_asks_and_not_while_it_works():
    def slow():
        for number in range(3):
            time.sleep(0.02)
            yield number

    batches, waited = watched(slow())
    for _ in batches:
        time.sleep(0.05)
    assert 0.06 <= waited() < 0.15


@pytest.mark.parametrize(("ahead", "least", "most"), [(False, 0.08, 0.2), (True, 0.02, 0.08)])
def test_waiting_is_measured_in_a_dataset_too(ahead, least, most):
    """Four batches of 20 ms each: all are waited for, or the first, as the rest is made ahead."""
    tf = pytest.importorskip("tensorflow")

    def slow(number):
        time.sleep(0.02)
        return number

    source = tf.data.Dataset.range(4).map(lambda n: tf.numpy_function(slow, [n], tf.int64))
    batches, waited = watched_dataset(source.prefetch(2) if ahead else source)
    seen = []
    for batch in batches:
        seen.append(int(batch))
        time.sleep(0.1)
    assert seen == [0, 1, 2, 3]
    assert least <= waited() < most


def test_clock():
    assert [display.clock(s) for s in (0, 61.4, 3600 * 25)] == ["0:00:00", "0:01:01", "25:00:00"]


def test_deep_supervision_trains_the_network_and_is_gone_afterwards(data, tmp_path):
    protocol = tiny.protocol(deep_supervision=True, epochs=2)
    model = zoo.create("unet", data.input_shape, 1, width=0.0625)
    parameters, before = model.count_params(), weights.digest(model)
    state = train.train(model, data, protocol, Checkpoints(tmp_path, {}), Display())
    assert state.epoch == 2
    assert model.count_params() == parameters
    assert weights.digest(model) != before
    assert protocol.digest != tiny.protocol(epochs=2).digest
