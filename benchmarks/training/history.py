"""`history.csv`: the epochs of a run as a table in its folder, which grows while the run trains."""

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.records import csv_table
from benchmarks.training.display import Display
from benchmarks.training.state import State

FILE = "history.csv"


class Kept(Display):
    """Keeps the table up to date, has each epoch noted, and passes everything on to a display."""

    def __init__(
        self, shown: Display, folder: Path, noted: Callable[[State], None] = lambda state: None
    ):
        super().__init__(shown.title, shown.epochs, shown.steps)
        self.shown, self.folder, self.noted = shown, folder, noted

    def __enter__(self) -> "Display":
        self.shown.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self.shown.__exit__(*error)

    def step(self, epoch: int, step: int, loss: float) -> None:
        """Pass the running loss on."""
        self.shown.step(epoch, step, loss)

    def epoch(self, state: State) -> None:
        """Write the epochs so far, and pass them on."""
        write(self.folder, state.history)
        self.noted(state)
        self.shown.epoch(state)


def write(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write the table whole; it can be made again, so nothing waits for the disk."""
    aside = folder / f".{FILE}.tmp"
    aside.write_text(csv_table.text(rows))
    os.replace(aside, folder / FILE)


def newest(folder: Path) -> dict[str, str] | None:
    """Return the last epoch that a run has written, None where there is none."""
    try:
        with (folder / FILE).open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError:
        return None
    return rows[-1] if rows else None
