"""What a piece would do, from second to second; nothing is started for it."""

import math
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from benchmarks.gpu import agenda
from benchmarks.gpu.agenda import PACKED, PROFILE, SCORED, Stage
from benchmarks.gpu.tasks import Plan, Training

STARTED = 75.0  # seconds that processes are taken to need, side by side, before they are fast
AGAIN = 45.0  # seconds of it that a training needs again, with its own number of epochs


def timetable(plan: Plan, results: Sequence[Path], minutes: float) -> Iterator[str]:
    """Yield a line for each thing that would be done."""
    now, end = 0.0, 60 * minutes - PACKED
    there: set[str] = set()
    for stage in agenda.stages(plan, results):
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
