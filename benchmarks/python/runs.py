"""`bench`: one run, in a process of its own as on the command line, and its record."""

from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.records import record
from benchmarks.records.record import Record


def bench(
    model: str,
    protocol: str = "quick",
    *,
    data: str | Path | None = None,
    seed: int = 0,
    fold: int = 0,
    variant: str | None = None,
    results: str | Path = "results",
    **options: Any,
) -> Record:
    """Train, score and measure a model, or take over what an earlier run did; return its record.

    `options` are those of `gliozoo bench`, with underscores: `backend`, `precision`, `version`,
    `cache`, `threads`, `force`, `quiet`. A run that failed has the status `failed` and its error.
    """
    from benchmarks.running import launch, settle
    from benchmarks.running.job import Job

    options = {"quiet": True, **options, "data": data, "results": results}
    places: dict[str, Any] = {
        name: str(value) if isinstance(value, Path) else value for name, value in options.items()
    }
    job = Job(model, protocol, variant, seed, fold, **places)
    outcome = launch.launch(settle.slot(job))
    if outcome.record is None:
        raise UserError(f"{job.command}: was refused; the reason stands on standard error.")
    return record.read(outcome.path)
