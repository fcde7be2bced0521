"""How the minutes of a piece are shared out: for the piece itself, and as a timetable."""

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gpu import tasks
from benchmarks.gpu.tasks import Plan, Profile, Task, Training

PACKED = 40.0  # seconds kept for members to end and for the way home
LEAST = 30.0  # seconds: with less left, nothing begins
LEAST_SIZED = 200.0  # seconds: with less, epochs would be few for good
SIZED, PROFILED = 0.8, 0.5  # of what is left, where profiles or trainings come after
SCORED = 40.0  # seconds kept for the scores that follow the last epoch
PROFILE = 30.0  # seconds that a profile is taken to last: its peak memory is another process's
# What the timetable takes to last as long, because only the piece can measure it.
STARTED = 75.0  # seconds that processes are taken to need, side by side, before they are fast
AGAIN = 45.0  # seconds of it that a training needs again, with its own number of epochs


@dataclass(frozen=True)
class Stage:
    """What is outstanding of a stage, and what of those behind it."""

    tasks: Sequence[Task]
    later: Sequence[Task]
    epochs: int | None  # to which its protocol was sized before; None for profiles, too

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models of its tasks."""
        return tuple(dict.fromkeys(task.model for task in self.tasks))

    @property
    def trains(self) -> bool:
        """Say whether it is one of trainings."""
        return isinstance(self.tasks[0], Training)

    def share(self, left: float) -> float:
        """Return how many of the seconds that are left it may have; none if it has to wait."""
        if left < LEAST:
            return 0.0
        if not self.trains:
            half = PROFILED * left
            follows = any(isinstance(task, Training) for task in self.later)
            return half if follows and left - half >= LEAST_SIZED else left
        if self.epochs is not None:
            return left
        follows = any(isinstance(task, Profile) for task in self.later)
        return left * (SIZED if follows else 1.0) if left >= LEAST_SIZED else 0.0


def stages(plan: Plan, results: Sequence[Path]) -> Iterator[Stage]:
    """Yield what is outstanding, stage by stage, as it is when a stage is asked for."""
    every = list(tasks.stages(plan))
    for place, stage in enumerate(every):
        missing = outstanding(stage, results)
        if not missing:
            continue
        later = outstanding([task for after in every[place + 1 :] for task in after], results)
        first = missing[0]
        sized = known_epochs(results, first.protocol) if isinstance(first, Training) else None
        yield Stage(missing, later, sized)


def outstanding(every: Sequence[Task], results: Sequence[Path]) -> list[Task]:
    """Return the tasks that no folder has the result of."""
    return [task for task in every if not any(task.done(folder) for folder in results)]


def known_epochs(results: Sequence[Path], base: str) -> int | None:
    """Return to how many epochs a protocol was sized before, in whichever folder."""
    counts = (tasks.epochs_of(folder, base) for folder in results)
    return next((count for count in counts if count is not None), None)


def timetable(plan: Plan, results: Sequence[Path], minutes: float) -> Iterator[str]:
    """Yield a line for each thing that would be done."""
    now, end = 0.0, 60 * minutes - PACKED
    there: set[str] = set()
    for stage in stages(plan, results):
        seconds = stage.share(end - now)
        if not seconds:
            continue
        if not set(stage.models) <= there:
            there = set(stage.models)
            yield _line(now, now, f"{len(there)} processes start: {', '.join(stage.models)}")
        if stage.trains:
            now = yield from _training(stage, plan, now, now + seconds)
        else:
            now = yield from _profiles(stage, now, now + seconds)
    yield _line(end, end + PACKED, "processes end; the parcel is closed")


def _training(stage: Stage, plan: Plan, now: float, until: float) -> Generator[str, None, float]:
    (base,) = {task.protocol for task in stage.tasks if isinstance(task, Training)}
    yield _line(now, now + STARTED, f"{base}: import, load, build, compile")
    now += STARTED
    if stage.epochs is not None:
        yield _line(now, until, f"train {base}, {stage.epochs} epochs, as far as the time goes")
        return until
    yield _line(now, now + plan.watch, f"{base}: all train together, and are timed")
    now += plan.watch
    over = max(now, until - SCORED)
    again = min(over, now + AGAIN)
    yield _line(now, again, f"{base}: load, build, compile for the epochs that fit the slowest")
    yield _line(again, over, f"train {base}, the same number of epochs for everyone")
    yield _line(over, until, f"{base}: test patients are scored, records written")
    return until


def _profiles(stage: Stage, now: float, until: float) -> Generator[str, None, float]:
    fit = min(len(stage.tasks), math.floor((until - now) / PROFILE))
    ends = now + fit * PROFILE
    yield _line(now, ends, f"{fit} of {len(stage.tasks)} profiles, one at a time")
    return ends


def _line(begins: float, ends: float, what: str) -> str:
    return f"{_clock(begins)}-{_clock(ends)}  {what}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:d}:{int(seconds) % 60:02d}"
