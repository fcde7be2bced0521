"""What every engine of a sweep is: it takes slots in order and tells how each ended."""

from collections.abc import Generator, Sequence
from typing import Protocol

from benchmarks.running.launch import Outcome
from benchmarks.running.slot import Slot


class Executor(Protocol):
    """Runs slots, `parallel` of them at once.

    Closing the generator interrupts what is running and leaves it ready to be resumed.
    """

    parallel: int | None  # None: as many as the engine has room for

    def run(self, slots: Sequence[Slot]) -> Generator[Outcome, None, None]:
        """Run each slot once, and yield its outcome when it has ended."""
        ...
