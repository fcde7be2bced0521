"""What a training shows of itself: a live line on a terminal, a plain line an epoch elsewhere."""

import sys
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from benchmarks.training.state import State


class Display:
    """Shows nothing; what a training tells, and when."""

    def __init__(self, title: str = "", epochs: int = 1, steps: int = 1):
        self.title, self.epochs, self.steps = title, epochs, steps

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *error) -> None:
        return None

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Take in the running loss within an epoch."""

    def epoch(self, state: State) -> None:
        """Take in a finished epoch."""


class Lines(Display):
    """One plain line an epoch."""

    def __init__(self, title: str, epochs: int, steps: int, file: TextIO = sys.stderr):
        super().__init__(title, epochs, steps)
        self.file = file

    def epoch(self, state: State) -> None:
        """Print the epoch."""
        print(f"{self.title}: {summary(state, self.epochs)}", file=self.file, flush=True)


class Terminal(Display):
    """A line that follows the steps, over a bar of the epochs."""

    def __init__(self, title: str, epochs: int, steps: int):
        super().__init__(title, epochs, steps)
        self.live = Live(console=Console(stderr=True), refresh_per_second=4)
        self.state = State()

    def __enter__(self) -> "Display":
        self.live.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self.live.__exit__(*error)

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Move on within the epoch."""
        self._draw(epoch - 1 + step / self.steps, loss)

    def epoch(self, state: State) -> None:
        """Move on to the next epoch."""
        self.state = state
        self._draw(state.epoch, state.history[-1]["loss"])

    def _draw(self, done: float, loss: float) -> None:
        grid = Table.grid(padding=(0, 2))
        told = summary(self.state, self.epochs) if self.state.epoch else "first epoch"
        grid.add_row(self.title, ProgressBar(self.epochs, done, width=24), f"loss {loss:.4f}")
        self.live.update(Group(grid, told))


def summary(state: State, epochs: int) -> str:
    """Say in a line how the last epoch went and how long the rest will take at most."""
    last = state.history[-1]
    waited = last["data_wait_share"]
    waiting = "" if waited is None else f"{waited:.0%} waiting for data  "
    left = (epochs - state.epoch) * state.seconds / state.epoch
    return (
        f"epoch {state.epoch}/{epochs}  loss {last['loss']:.4f}  "
        f"val Dice {last['val_dice']:.4f} (best {state.best_dice:.4f} in {state.best_epoch})  "
        f"{last['samples_per_sec']:.1f} images/s  {waiting}{clock(left)} left"
    )


def clock(seconds: float) -> str:
    """Print seconds as h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def choose(title: str, epochs: int, steps: int, *, quiet: bool = False) -> Display:
    """Return what suits standard error: a live line, plain lines, or nothing."""
    if quiet:
        return Display(title, epochs, steps)
    return (Terminal if sys.stderr.isatty() else Lines)(title, epochs, steps)
