"""Where a sweep stands: what its runs have written into their folders, and what has ended."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from benchmarks.running import unfinished
from benchmarks.running.job import Job
from benchmarks.running.launch import FINE, USER, Outcome
from benchmarks.running.slot import HOLDER, Slot
from benchmarks.sweep.plan import Plan
from benchmarks.training import history

_AHEAD = 64  # runs start in order, so that only the next ones in the queue need to be looked at
_SIGNS = (HOLDER, unfinished.FILE, history.FILE)


@dataclass(frozen=True)
class Sight:
    """A run that is under way: its last epoch and the Dice of its validation."""

    slot: Slot
    epoch: int
    dice: float | None

    @property
    def epochs(self) -> int:
        """Count the epochs that it will take at most."""
        return self.slot.protocol.train.epochs


@dataclass(frozen=True)
class Standing:
    """The runs of a sweep that have not ended, and how the others did."""

    plan: Plan
    left: dict[Job, Slot]
    ended: tuple[Outcome, ...] = ()
    began: float = field(default_factory=time.time)
    moved: float = 0.0  # when the last run ended

    @classmethod
    def of(cls, plan: Plan) -> "Standing":
        """Return where a sweep begins."""
        return cls(plan, {slot.job: slot for slot in plan.waiting})

    def after(self, outcome: Outcome) -> "Standing":
        """Return where it stands when one more run has ended."""
        left = {job: slot for job, slot in self.left.items() if job != outcome.job}
        return replace(self, left=left, ended=(*self.ended, outcome), moved=time.time())

    @property
    def succeeded(self) -> tuple[Outcome, ...]:
        """List the runs that ended well."""
        return tuple(outcome for outcome in self.ended if outcome.code == FINE)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """List the runs whose record says why they failed, and those that were refused."""
        return tuple(outcome for outcome in self.ended if outcome.code != FINE)

    @property
    def refused(self) -> tuple[Outcome, ...]:
        """List the runs that never began, for a reason that the user can mend."""
        return tuple(outcome for outcome in self.ended if outcome.code == USER)

    def running(self, parallel: int | None) -> list[Sight]:
        """Look at the folders of the next runs for signs of life since the sweep began."""
        next_ones = islice(self.left.values(), (parallel or 0) + _AHEAD)
        return [_sight(slot, self.began) for slot in next_ones if _alive(slot.folder, self.began)]

    def seconds_left(self) -> float | None:
        """Guess how long the rest takes at the pace so far; None before a run has ended."""
        if not self.ended:
            return None
        pace = (self.moved - self.began) / len(self.ended)
        return max(0.0, pace * len(self.left) - (time.time() - self.moved))


def _alive(folder: Path, since: float) -> bool:
    return any(written >= since for written in _times(folder, _SIGNS))


def _times(folder: Path, names: Sequence[str]) -> Iterator[float]:
    for name in names:
        try:
            yield (folder / name).stat().st_mtime
        except OSError:
            continue


def _sight(slot: Slot, since: float) -> Sight:
    # An older table is that of an earlier attempt, which this one may have gone on from or not.
    fresh = any(written >= since for written in _times(slot.folder, (history.FILE,)))
    row = history.newest(slot.folder) if fresh else None
    if row is None:
        return Sight(slot, 0, None)
    return Sight(slot, int(row["epoch"]), float(row["val_dice"]))
