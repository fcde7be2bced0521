"""What training bought: the best validation Dice so far, against seconds and multiply-adds.

Seconds are those of training steps, without validation; a run counts from its first finished epoch
on. Multiply-adds are three times those of an inference for each image: forward, and backward to
inputs and to weights. A time means something only beside others of one machine, so the runs of the
setting that most of them share are taken.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.comparison.reading import machine_costs
from benchmarks.comparison.reading.scores import RunScores
from benchmarks.records.record import Record

MINUTES = (1, 5, 20)
PASSES = 3  # of a training step, in multiply-adds of an inference


@dataclass(frozen=True)
class Course:
    """One run, epoch by epoch: what it had cost, and the best validation Dice that it had seen."""

    seconds: np.ndarray
    tera_macs: np.ndarray  # NaN where the record counts none
    best: np.ndarray

    def at(self, seconds: float) -> float:
        """Return the best Dice within so many seconds, NaN before the first epoch ended."""
        return self._best(self.seconds <= seconds)

    def at_cost(self, tera_macs: float) -> float:
        """Return the best Dice within so many multiply-adds, NaN before the first epoch ended."""
        return self._best(self.tera_macs <= tera_macs * (1 + 1e-9))

    def _best(self, done: np.ndarray) -> float:
        return float(self.best[done.sum() - 1]) if done.any() else math.nan


@dataclass(frozen=True)
class Budgets:
    """The courses of each model's runs in one setting; `left_out` models were timed elsewhere."""

    setting: str
    courses: Mapping[str, Sequence[Course]]
    left_out: tuple[str, ...]

    def reached(self, model: str, minutes: float) -> float:
        """Return a model's mean over its runs, NaN unless all of them had ended an epoch."""
        return float(np.mean([one.at(60 * minutes) for one in self.courses[model]]))


def budgets(runs: Mapping[str, Sequence[RunScores]]) -> Budgets | None:
    """Follow the trainings of a table's models; None where no record tells of any."""
    found = {
        model: [(_setting(run.record), course(run.record)) for run in several if _told(run.record)]
        for model, several in runs.items()
    }
    counts = Counter(setting for pairs in found.values() for setting, _ in pairs)
    if not counts:
        return None
    (setting, _), *_ = counts.most_common(1)
    courses = {
        model: [one for where, one in pairs if where == setting] for model, pairs in found.items()
    }
    return Budgets(
        setting=", ".join(filter(None, setting)),
        courses={model: several for model, several in courses.items() if several},
        left_out=tuple(model for model, several in courses.items() if not several),
    )


def _setting(record: Record) -> tuple[str, ...]:
    told = record.environment
    threads = told.get("threads")
    return (
        str(told.get("machine") or ""),
        machine_costs.device_of(told),
        f"{threads} thread{'s' * (threads != 1)}" if threads else "",
        str(told.get("precision") or ""),
    )


def _told(record: Record) -> bool:
    """Tell whether every epoch of a run has its time and its validation Dice."""
    names = ("seconds", "val_dice")
    return bool(record.history) and all(
        isinstance(row.get(name), int | float) for row in record.history for name in names
    )


def course(record: Record) -> Course:
    """Follow one run, epoch by epoch."""
    seconds = np.array([row["seconds"] for row in record.history], float)
    speeds = [row.get("samples_per_sec") or math.nan for row in record.history]
    gmacs = record.cost.get("gmacs") or math.nan
    return Course(
        seconds=seconds.cumsum(),
        tera_macs=(PASSES * gmacs / 1000 * seconds * np.array(speeds, float)).cumsum(),
        best=np.maximum.accumulate([float(row["val_dice"]) for row in record.history]),
    )
