"""The rows that `bench` ends with: one a run, by patient, with its interval."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.comparison.judging import intervals, statistics
from benchmarks.records.record import Record
from benchmarks.scoring import policies
from benchmarks.tables import cells

COSTS = ("gflops", "infer_samples_per_sec", "train_samples_per_sec")
METRICS = ("dice", "iou", "precision", "sensitivity", "specificity", "hd95")
# What stands beside model and Dice, and when it goes where there is no room: the highest first.
LESS = {
    "IoU": 7,
    "Prec.": 4,
    "Sens.": 3,
    "Spec.": 9,
    "HD95": 2,
    "M params": 5,
    "GFLOPs": 6,
    "images/s": 8,
    "trained": 1,
}


def row(record: Record) -> dict[str, Any]:
    """Return a run's row: mean over patients (and regions) of each metric, and what it cost."""
    told: dict[str, Any] = {**record.run, "status": record.status}
    if record.status != "ok":
        return told | {"error": (record.error or {}).get("message")}
    policy = record.protocol.get("evaluate", {}).get("policy", "brats")
    scores = _scores(record, policy)
    for metric, mean in zip(METRICS, statistics.means(scores), strict=True):
        told[metric] = float(mean)
    found = intervals.intervals(scores[:, [METRICS.index("dice")]])
    told |= {
        "ci_lower": float(found.lower[0]),
        "ci_upper": float(found.upper[0]),
        "policy": policy,
        "n_both_empty": sum(row["status"] == "both_empty" for row in _rows(record)),
        "n_values": len(_rows(record)),
        "regions": _by_region(record, policy),
        "n_train": record.data.get("n_train"),
        "n_val": record.data.get("n_val"),
        "n_test": len(scores),
        "param_count": _millions(record.cost.get("params")),
        **{name: record.cost.get(name) for name in COSTS},
        "train_seconds": record.training.get("seconds"),
    }
    return told


def _scores(record: Record, policy: str) -> np.ndarray:
    """Return `(patients, metrics)`: each patient's mean over the regions that are defined."""
    rows = []
    for patient in record.patients:
        regions = [policies.values(counts, policy) for counts in patient["regions"].values()]
        rows.append([_mean([region.get(metric) for region in regions]) for metric in METRICS])
    return np.array(rows, dtype=float)


def _rows(record: Record) -> list[policies.Row]:
    return [row for patient in record.patients for row in patient["regions"].values()]


def _by_region(record: Record, policy: str) -> dict[str, float | None]:
    """Return the mean Dice over patients of each region."""
    scored, labels = record.quality.get(policy, {}), record.data.get("regions", {})
    widest_first = sorted(scored.keys() - {"mean"}, key=lambda name: (-len(labels[name]), name))
    return {name: scored[name]["patient"]["dice"]["mean"] for name in widest_first}


def _millions(params: float | None) -> float | None:
    return None if params is None else params / 1e6


def _mean(values: Sequence[float | None]) -> float:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else np.nan


def show(records: Sequence[Record]) -> None:
    """Print the rows as a table."""
    from rich.text import Text

    from benchmarks.tables import fitted

    console = fitted.console()
    rows = [row(record) for record in records]
    columns = [fitted.Column("model", justify="left"), fitted.Column("Dice [95 %]")]
    columns += [fitted.Column(heading, goes) for heading, goes in LESS.items()]
    named = (cells.printable(record.name) for record in records)
    fitted.show(
        console, columns, [[name, *_cells(told)] for name, told in zip(named, rows, strict=True)]
    )
    for record, told in zip(records, rows, strict=True):
        if len(told.get("regions", ())) > 1:
            parts = (f"{name} {cells.number(dice)}" for name, dice in told["regions"].items())
            line = f"{record.name}, Dice by region: {', '.join(parts)}"
            console.print(Text(cells.printable(line)), soft_wrap=True)
        if told.get("n_both_empty"):
            console.print(Text(cells.printable(f"{record.name}: {_empty(told)}")), soft_wrap=True)
        if told["status"] != "ok":
            reason = f"{record.name} failed: {told['error']}"
            console.print(Text(cells.printable(reason)), soft_wrap=True)


def _empty(told: dict[str, Any]) -> str:
    count = "counts 1" if policies.find(told["policy"]).both_empty_counts else "is left out"
    return (
        f"{told['n_both_empty']} of {told['n_values']} values of Dice are of nothing to find and "
        f"nothing drawn, each {count} under policy '{told['policy']}'"
    )


def _cells(told: dict[str, Any]) -> list[str]:
    if told["status"] != "ok":
        return ["failed"]
    interval = f"[{cells.number(told['ci_lower'])}, {cells.number(told['ci_upper'])}]"
    return [
        f"{cells.number(told['dice'])} {interval}",
        *(cells.number(told[metric]) for metric in METRICS[1:5]),
        cells.number(told["hd95"], 1),
        cells.short(told["param_count"]),
        cells.short(told["gflops"]),
        cells.short(told["infer_samples_per_sec"]),
        cells.ABSENT if told["train_seconds"] is None else f"{told['train_seconds']:.0f} s",
    ]
