"""Training: `model.fit`, watched; what happens after an epoch is decided in `state`.

`fit` traces one step once and runs it at full speed on every backend, over one device or several.
All else is a callback that works between epochs: validation by patient, schedule, checkpoint.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras

from benchmarks.backends import programs, several_devices
from benchmarks.inference.predictor import Predictor
from benchmarks.protocols.protocol import Protocol
from benchmarks.training import evaluate, losses, optimiser
from benchmarks.training import state as states
from benchmarks.training.checkpoint import Checkpoints
from benchmarks.training.display import Display
from benchmarks.training.state import State
from data_pipeline import Data
from data_pipeline.feeding.wait_time import Seconds, watched, watched_dataset
from zoo import supervision

LOOK = 1.0  # seconds between two looks at the loss: each waits for the device


class TrainingError(Exception):
    """The training itself went wrong, and going on would be pointless: the reason in a sentence."""


def train(
    model: keras.Model,
    data: Data,
    protocol: Protocol,
    checkpoints: Checkpoints,
    display: Display,
    *,
    jit: bool = False,
    watch: bool = True,
) -> State:
    """Train to the protocol's end, from the newest checkpoint on; leave the best weights in.

    Losses and optimiser are built here, so that no symbolic pass of `fit` precedes the trace.
    """
    learner, loss = compile_model(model, data, protocol, jit=jit)
    state = checkpoints.restore(learner)
    if states.stopped(state, protocol.train) is None:
        batches, waited = feed(data, state.epoch, watch)
        predict = Predictor(model, protocol.evaluate)
        supervisor = Supervisor(
            state,
            protocol,
            validate=lambda: evaluate.validate(predict, data, protocol.evaluate, loss),
            checkpoints=checkpoints,
            display=display,
            waited=waited,
            steps=data.steps_per_epoch,
        )
        learner.fit(
            batches,
            initial_epoch=state.epoch,
            epochs=protocol.train.epochs,
            steps_per_epoch=data.steps_per_epoch,
            shuffle=False,
            verbose=0,
            callbacks=[supervisor],
        )
        state = supervisor.state
    checkpoints.use_best(learner)
    return state


def compile_model(
    model: keras.Model, data: Data, protocol: Protocol, *, jit: bool = False
) -> tuple[keras.Model, losses.Loss]:
    """Compile what learns: the model, or, under deep supervision, the model with heads.

    Return it with the protocol's loss.
    """
    training = protocol.train
    loss = losses.create(training.loss, training.loss_settings, data.target.exclusive)
    learner = model
    if training.deep_supervision:
        learner = supervision.supervised(model, loss)
        model.compile(jit_compile=jit)  # it predicts
    learner.compile(optimiser.create(training, data.steps_per_epoch), loss=loss, jit_compile=jit)
    several_devices.ask_together(learner)
    programs.train_in_one_graph(learner)
    learner.optimizer.build(learner.trainable_variables)
    return learner, loss


def feed(data: Data, epoch: int, watch: bool = True) -> tuple[Any, Seconds]:
    """Give the batches from an epoch on, endless, in the backend's way; the same bits in each.

    TensorFlow refuses to read the clock where it is deterministic: nothing is watched there.
    """
    if keras.config.backend() == "tensorflow":
        batches = data.epochs(epoch)
        return watched_dataset(batches) if watch else (batches, lambda: math.nan)
    return watched(data.training_batches(epoch))


class Supervisor(keras.callbacks.Callback):
    """Looks after a training between its epochs, and now and then within one."""

    def __init__(
        self,
        state: State,
        protocol: Protocol,
        *,
        validate: Callable[[], tuple[float, float]],
        checkpoints: Checkpoints,
        display: Display,
        waited: Seconds,
        steps: int,
    ):
        super().__init__()
        self.state, self.protocol, self.steps = state, protocol, steps
        self._validate, self._checkpoints = validate, checkpoints
        self._display, self._waited = display, waited
        self._looked = self._began = time.monotonic()
        self._waited_before = 0.0
        self._first_step: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clocks; a plateau's rate holds for an epoch."""
        if self.protocol.train.schedule == "plateau":
            rate = states.plateau_rate(self.state, self.protocol.train)
            self.model.optimizer.learning_rate = rate
        self._began, self._waited_before = time.monotonic(), self._waited()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Look at the running loss about once a second."""
        now = time.monotonic()
        if self._first_step is None:
            _finite(logs or {}, self.state.epoch + 1)  # waits for the device
            self._first_step = time.monotonic() - self._began
        if now - self._looked >= LOOK:
            self._looked = now
            loss = _finite(logs or {}, self.state.epoch + 1)
            self._display.step(self.state.epoch + 1, batch + 1, loss)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Validate, note the epoch, decide how to go on, and keep it all."""
        row = self._row(logs or {})
        self.state = states.advance(self.state, row, self.protocol.train)
        self.state = replace(
            self.state,
            stopped=states.stopped(self.state, self.protocol.train),
            first_step_s=self._first_step,
        )
        over = self.state.stopped is not None
        self._checkpoints.save(self.model, self.state, now=over)
        self._display.epoch(self.state)
        if over:
            self.model.stop_training = True

    def _row(self, logs: dict[str, Any]) -> dict[str, Any]:
        loss = _finite(logs, self.state.epoch + 1)
        trained = time.monotonic() - self._began
        waited = self._waited() - self._waited_before
        dice, val_loss = self._validate()
        return {
            "epoch": self.state.epoch + 1,
            "loss": loss,
            "val_loss": val_loss,
            "val_dice": dice,
            "learning_rate": optimiser.rate_of(self.model.optimizer),
            "seconds": time.monotonic() - self._began,
            "samples_per_sec": self.steps * self.protocol.data.batch_size / trained,
            "data_wait_share": None if math.isnan(waited) else min(1.0, waited / trained),
        }


def _finite(logs: dict[str, Any], epoch: int) -> float:
    loss = float(logs["loss"])
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss became {loss} in epoch {epoch}: the training stopped there, and its last "
            "good checkpoint is kept; a lower learning rate or float32 is the usual remedy."
        )
    return loss
