"""What measuring scripts share: tables within pages, and the machine as it was before.

A table stands between a line that names the command that writes it, and END.
"""

import os
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import environment

END = "<!-- until here -->"
QUIET = 0.5  # of the load average, before a run: less is nobody else
PATIENCE = 180  # seconds that what ran before has to fade out of the load average


def machine() -> dict[str, Any]:
    """Describe the machine; to be asked before anything is measured."""
    begun = time.monotonic()
    while (load := os.getloadavg()[0]) >= QUIET and time.monotonic() - begun < PATIENCE:
        time.sleep(2)
    return {"cpu": environment.processor(), "cores": environment.cores(), "load": round(load, 2)}


def noise(load: float) -> str:
    """Say whether other work was there."""
    return "quiet" if load < QUIET else "**busy**"


def table_of(page: Path, command: str) -> str:
    """Return the table that the command wrote."""
    return _parts(page, command)[1]


def put(page: Path, command: str, table: str) -> None:
    """Write a table in the place of the one that the command wrote before."""
    before, _, behind = _parts(page, command)
    page.write_text(before + table + behind, encoding="utf-8")


def _parts(page: Path, command: str) -> tuple[str, str, str]:
    text, begin = page.read_text(encoding="utf-8"), f"<!-- {command} -->\n"
    start = text.index(begin) + len(begin)
    stop = text.index(END, start)
    return text[:start], text[start:stop], text[stop:]
