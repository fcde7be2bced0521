"""The processes of runs: started with a log in the run's folder, and waited for."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.running import launch
from benchmarks.running.job import Job

LOG = "log.txt"
LOOK = 0.05  # seconds between two looks at a process


def start(
    job: Job, folder: Path, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a run's process, whose words go into its folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOG).open("wb") as log:
            return launch.start(job, log, environment)
    except OSError as error:
        raise UserError(
            f"Cannot start a run in {folder}: {error.strerror or error}; choose another folder "
            "with --results."
        ) from error


def wait(process: subprocess.Popen, meanwhile: Callable[[], None] = lambda: None) -> int:
    """Wait for a process and return its code; signals are handled and `meanwhile` is called."""
    while (code := process.poll()) is None:
        meanwhile()
        time.sleep(LOOK)
    return code


def last_words(folder: Path) -> str:
    """Return the last line of a run's log: of a run that was refused, the reason."""
    try:
        lines = (folder / LOG).read_text(errors="replace").split("\n")
    except OSError:
        return "it left no log"
    told = [line.strip() for line in lines if line.strip()]
    return told[-1].removeprefix("gliozoo: ") if told else "it said nothing"
