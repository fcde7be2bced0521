"""Which runs are done: told by the names in the results folder and the last lines of a record.

A record is a line a section with sorted keys, so its status stands near its end: ten thousand
records are recognised without reading them.
"""

from functools import cached_property
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.records import record
from benchmarks.running.slot import Slot

_TAIL = 4096  # bytes, of which the sections behind the status take some hundred


class Finished:
    """The slots of a results folder whose records are good."""

    def __init__(self, results: Path | str, any_machine: bool = False):
        self.results, self.any_machine = Path(results), any_machine

    def path(self, slot: Slot) -> Path | None:
        """Return the good record of a slot, None if there is none."""
        candidates = self._anywhere(slot) if self.any_machine else [slot.path]
        return next(filter(is_good, candidates), None)

    def _anywhere(self, slot: Slot) -> list[Path]:
        found, former = (self._by_stem.get(s, []) for s in (slot.stem, slot.former_stem))
        return [*found, *filter(slot.own, former)]

    def matching(self, names: str) -> list[Path]:
        """List the good records, of any machine, whose file names match."""
        return sorted(filter(is_good, self.results.glob(f"*/{names}")))

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for path in self.results.glob("*/*.json"):
            found.setdefault(path.stem, []).append(path)
        return found


def is_good(path: Path) -> bool:
    """Say whether a file is the record of a run that succeeded."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            tail = file.read()
    except OSError:
        return False
    if b'\n "status": ' in tail and tail.endswith(b"\n}\n"):
        return b'\n "status": "ok"' in tail
    try:
        return record.read(path).status == "ok"  # laid out by someone else
    except UserError:
        return False
