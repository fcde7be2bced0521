from dataclasses import replace

import pytest

from benchmarks.protocols.protocol import Training
from benchmarks.training.state import State, advance, plateau_rate, stopped


def after(scores, training):
    state = State()
    for epoch, dice in enumerate(scores, 1):
        state = advance(state, {"epoch": epoch, "val_dice": dice, "seconds": 2.0}, training)
    return state


def test_the_best_epoch_is_the_first_of_equals():
    state = after([0.1, 0.5, 0.5, 0.4], Training())
    assert (state.best_epoch, state.best_dice, state.waited) == (2, 0.5, 2)
    assert (state.epoch, state.seconds) == (4, 8.0)
    assert not state.improved
    assert after([0.1, 0.2], Training()).improved


def test_a_dice_of_nought_is_better_than_none():
    assert after([0.0], Training()).best_epoch == 1


def test_early_stopping_counts_epochs_without_a_better_dice():
    training = Training(epochs=10, early_stopping=2)
    assert stopped(after([0.3, 0.2], training), training) is None
    assert stopped(after([0.3, 0.2, 0.3], training), training) == "early_stopping"
    assert stopped(after([0.3, 0.2, 0.4], training), training) is None
    patient = replace(training, early_stopping=None)
    assert stopped(after([0.3] * 9, patient), patient) is None
    assert stopped(after([0.3] * 10, patient), patient) == "epochs"


def test_plateau_cuts_the_rate_after_its_patience_and_waits_anew():
    training = Training(
        learning_rate=1e-2, schedule="plateau", schedule_settings={"factor": 0.1, "patience": 2}
    )
    rates = [plateau_rate(after([0.5] * n, training), training) for n in range(1, 6)]
    assert rates == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3, 1e-4])
    assert plateau_rate(after([0.1, 0.2, 0.3], training), training) == 1e-2


def test_plateau_has_a_floor():
    training = Training(schedule="plateau", schedule_settings={"patience": 1, "floor": 5e-4})
    assert plateau_rate(after([0.5] * 30, training), training) == 5e-4


def test_a_training_may_be_judged_by_its_validation_loss():
    """As Keras' callbacks are: the least loss so far, whatever the Dice does meanwhile."""
    training = Training(
        epochs=10, early_stopping=2, monitor="val_loss", schedule="plateau", learning_rate=1e-2
    )
    state = State()
    rows = [(0.5, 0.9), (0.3, 0.2), (0.4, 0.5), (0.3, 0.6)]
    for loss, dice in rows[:2]:
        state = advance(state, {"val_loss": loss, "val_dice": dice, "seconds": 1.0}, training)
    assert (state.best_epoch, state.best_dice, state.waited) == (2, 0.2, 0)
    for loss, dice in rows[2:]:
        assert stopped(state, training) is None
        state = advance(state, {"val_loss": loss, "val_dice": dice, "seconds": 1.0}, training)
    assert (state.best_epoch, state.cuts) == (2, 1)
    assert stopped(state, training) == "early_stopping"
