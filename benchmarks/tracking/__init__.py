"""Records told on to other people's tools, when asked for; the records stay the truth.

A tracker is given finished records by the process that started the run: training knows nothing of
it, and a tracker that fails costs a warning and no run.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.records.record import Record
from benchmarks.running.launch import Outcome
from zoo.registry import choose


class Tracker(Protocol):
    """Takes the record of a run and the place that it has under the results."""

    def publish(self, record: Record, path: Path) -> None:
        """Tell the tool everything about a run."""
        ...


def trackers(names: str | None, results: Path | str) -> list[Tracker]:
    """Return the trackers of a comma list; a tool that is not installed is the user's mistake."""
    from benchmarks.tracking.to_mlflow import ToMlflow
    from benchmarks.tracking.to_tensorboard import ToTensorboard

    kinds: dict[str, Callable[[Path], Tracker]] = {"tensorboard": ToTensorboard, "mlflow": ToMlflow}
    asked = [part.strip() for part in (names or "").split(",") if part.strip()]
    return [kinds[choose(name, kinds, "tracker")](Path(results)) for name in asked]


def publish(told: Sequence[Tracker], outcome: Outcome) -> None:
    """Tell every tracker of a run that has ended just now."""
    if outcome.record is None or not outcome.repeated:
        return
    for tracker in told:
        try:
            tracker.publish(outcome.record, outcome.path)
        except Exception as error:
            name = type(tracker).__name__.removeprefix("To")
            print(f"{name} was not told of {outcome.path.stem}: {error}", file=sys.stderr)
