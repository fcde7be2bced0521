"""A sweep as it goes: a live table on a terminal; elsewhere a line a run, and now and then one."""

import sys
import threading
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from benchmarks.running.launch import Outcome
from benchmarks.sweep import announcements
from benchmarks.sweep.plan import Plan
from benchmarks.sweep.status import Sight, Standing
from benchmarks.tables.cells import printable

REDRAW, REMIND = 1.0, 60.0  # seconds between two looks at the folders: terminal, plain lines


class Watch:
    """Follows a sweep from a thread of its own, so that no engine has to."""

    def __init__(self, plan: Plan, parallel: int | None, file: TextIO | None = None):
        self.standing = Standing.of(plan)
        self._parallel, self._over = parallel, threading.Event()
        console = Console(file=file or sys.stderr, highlight=False, soft_wrap=True)
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "Watch":
        if self._live:
            self._live.__enter__()
        self._say(announcements.sums(self.standing, 0))
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._over.set()
        self._thread.join()
        if self._live:
            self._live.update("", refresh=True)
            self._live.__exit__(None, None, None)

    def ended(self, outcome: Outcome) -> None:
        """Take in that a run has ended."""
        self.standing = self.standing.after(outcome)
        place = f"[{len(self.standing.ended)}/{len(self.standing.plan.waiting)}]"
        self._say(f"{place} {announcements.ending(outcome)}")

    def _follow(self) -> None:
        while not self._over.wait(REDRAW if self._live else REMIND):
            running = self.standing.running(self._parallel)
            if self._live:
                self._live.update(_table(self.standing, running), refresh=True)
            else:
                told = "; ".join(map(announcements.sight, running))
                self._say(f"{announcements.sums(self.standing, len(running))}: {told}")

    def _say(self, line: str) -> None:
        self._console.print(Text(printable(line)))


def _table(standing: Standing, running: list[Sight]) -> Group:
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("running", "epoch", "", "Dice"):
        grid.add_column(heading, justify="right" if heading in ("epoch", "Dice") else "left")
    for seen in running:
        grid.add_row(
            Text(printable(announcements.label(seen.slot.job))),
            f"{seen.epoch}/{seen.epochs}",
            ProgressBar(seen.epochs, seen.epoch, width=20),
            "" if seen.dice is None else f"{seen.dice:.3f}",
        )
    return Group(grid, Text(announcements.sums(standing, len(running))))
