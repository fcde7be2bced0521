"""Runs that are there twice: which of two records is right, nobody but their owner can say."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.comparison.reading.scores import RunScores

_VARIED = ("backend", "precision")


def repeated(runs: Iterable[RunScores]) -> dict[Path, str]:
    """Name each record that shares all that makes a run with another, and the other."""
    alike: dict[tuple, list[Path]] = {}
    for run in runs:
        alike.setdefault(_identity(run), []).append(run.path)
    return {
        path: f"the same run as {_others(paths, path)}; keep one of them"
        for paths in alike.values()
        if len(paths) > 1
        for path in paths
    }


def _identity(run: RunScores) -> tuple:
    """Return what makes a run: a machine repeats it bit for bit, or one of two was altered."""
    one = run.record
    return (
        *(one.machine, one.name, one.run["protocol"], one.protocol_digest, run.split),
        *(one.data.get("fingerprint"), one.run["seed"], one.run["fold"]),
        *(one.environment.get(name) or one.run.get(name) for name in _VARIED),
    )


def _others(paths: Iterable[Path], path: Path) -> str:
    return " and ".join(f"{other.parent.name}/{other.name}" for other in paths if other != path)
