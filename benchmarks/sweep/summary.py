"""What a sweep ends with: by model, how many runs there are and what they reached."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarks.running.launch import FINE, Outcome
from benchmarks.sweep.status import Standing
from benchmarks.tables import cells
from benchmarks.tables.bench_rows import row


def rows(standing: Standing) -> list[dict[str, Any]]:
    """Return a row for each run of the sweep: what it was, its state, its record."""
    before = [
        {**slot.run, "state": "done before", "record": str(path)}
        for slot, path in standing.plan.done
    ]
    left = [{**slot.run, "state": "left", "record": None} for slot in standing.left.values()]
    return [*before, *map(_of, standing.ended), *left]


def _of(outcome: Outcome) -> dict[str, Any]:
    job = outcome.job
    told = {"model": job.model, "protocol": job.protocol, "seed": job.seed, "fold": job.fold}
    if outcome.record is None:
        return told | {"state": "refused", "record": None}
    state = "done" if outcome.code == FINE else "failed"
    return told | row(outcome.record) | {"state": state, "record": str(outcome.path)}


def show(told: Sequence[dict[str, Any]]) -> None:
    """Print a table of the models; the mean is that of the runs that this sweep has done."""
    from rich.console import Console
    from rich.table import Table

    grid = Table()
    for heading in ("model", "runs", "before", "done", "failed", "left", "mean Dice"):
        grid.add_column(heading, justify="left" if heading == "model" else "right")
    by_model = defaultdict(list)
    for one in told:
        by_model[one["model"]].append(one)
    for model, runs in by_model.items():
        states = [run["state"] for run in runs]
        counts = [
            states.count("done before"),
            states.count("done"),
            states.count("failed") + states.count("refused"),
            states.count("left"),
        ]
        dice = [run["dice"] for run in runs if run["state"] == "done"]
        mean = cells.number(sum(dice) / len(dice) if dice else None)
        grid.add_row(cells.printable(model), str(len(runs)), *map(str, counts), mean)
    Console(highlight=False).print(grid)
