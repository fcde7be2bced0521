"""`State`: where a training stands, as plain values, and how an epoch changes it.

Everything that decides about the next epoch is here or in a variable of model and optimiser, so a
training that goes on from a checkpoint is the training that was never interrupted.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from benchmarks.protocols.protocol import Training

MEASURED = ("loss", "val_loss", "val_dice")  # of every epoch
STOPPED = (None, "epochs", "early_stopping")
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

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "State":
        """Read back what `asdict` and JSON made; a `ValueError` where no training comes to it."""
        state = cls(**{**values, "history": tuple(values["history"])})
        counts = (state.best_epoch, state.waited, state.stalled, state.cuts)
        if not all(type(count) is int and 0 <= count <= state.epoch for count in counts):
            raise ValueError("a count is out of its range")
        times = (state.seconds, 0 if state.first_step_s is None else state.first_step_s)
        if not all(_number(time) and 0 <= time < math.inf for time in times):
            raise ValueError("a time is out of its range")
        if state.stopped not in STOPPED:
            raise ValueError("the reason for its end is unknown")
        _require_best(state)
        return state


def _require_best(state: State) -> None:
    """Refuse a history of other rows than epochs, and a best epoch that it does not have."""
    best, epoch = -1.0, 0
    for place, row in enumerate(state.history, 1):
        if not {"epoch", *MEASURED} <= row.keys() or row["epoch"] != place:
            raise ValueError(f"epoch {place} of its history is no epoch's row")
        if not all(_number(value) or value is None for value in row.values()):
            raise ValueError(f"epoch {place} of its history holds what is no number")
        if row["val_dice"] > best:
            best, epoch = row["val_dice"], place
    if (state.best_dice, state.best_epoch) != (best, epoch) or best > 1:
        raise ValueError("its best epoch is not that of its history")


def _number(value: Any) -> bool:
    """Tell numbers that a float holds, NaN and infinity among them."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return whole or isinstance(value, float)


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
