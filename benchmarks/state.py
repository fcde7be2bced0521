"""`State`: where a training stands, as plain values, and how an epoch changes it.

Everything that decides about the next epoch is here or in a variable of model and optimiser, so a
training that goes on from a checkpoint is the training that was never interrupted.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Any

from benchmarks.protocol import Training

PLATEAU = {"factor": 0.2, "patience": 2, "floor": 1e-6}


@dataclass(frozen=True)
class State:
    """What has happened so far; `waited` epochs since the best, `stalled` since the last cut."""

    history: tuple[dict[str, Any], ...] = ()
    best_epoch: int = 0
    best_dice: float = -1.0
    waited: int = 0
    stalled: int = 0
    cuts: int = 0
    seconds: float = 0.0
    stopped: str | None = None
    first_step_s: float | None = None  # of the newest process: tracing, compiling, running

    @property
    def epoch(self) -> int:
        """Count the epochs that are done."""
        return len(self.history)

    @property
    def improved(self) -> bool:
        """Tell whether the last epoch is the best one."""
        return self.epoch > 0 and self.best_epoch == self.epoch


def advance(state: State, row: dict[str, Any], training: Training) -> State:
    """Take in an epoch: its row of the history holds `val_dice`, `val_loss` and `seconds`."""
    better = _better(state, row, training)
    stalled = 0 if better else state.stalled + 1
    cut = training.schedule == "plateau" and stalled >= _plateau(training, "patience")
    return replace(
        state,
        history=(*state.history, row),
        best_epoch=state.epoch + 1 if better else state.best_epoch,
        best_dice=row["val_dice"] if better else state.best_dice,
        waited=0 if better else state.waited + 1,
        stalled=0 if cut else stalled,
        cuts=state.cuts + cut,
        seconds=state.seconds + row["seconds"],
    )


def _better(state: State, row: dict[str, Any], training: Training) -> bool:
    if training.monitor == "val_loss":
        return row["val_loss"] < min((old["val_loss"] for old in state.history), default=inf)
    return row["val_dice"] > state.best_dice


def stopped(state: State, training: Training) -> str | None:
    """Say why a training is over, None while it goes on."""
    if state.epoch >= training.epochs:
        return "epochs"
    if training.early_stopping is not None and state.waited >= training.early_stopping:
        return "early_stopping"
    return None


def plateau_rate(state: State, training: Training) -> float:
    """Return the rate that the plateau schedule has come down to."""
    rate = training.learning_rate * _plateau(training, "factor") ** state.cuts
    return max(rate, min(_plateau(training, "floor"), training.learning_rate))


def _plateau(training: Training, name: str) -> float:
    return {**PLATEAU, **training.schedule_settings}[name]
