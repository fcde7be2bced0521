"""`make perf-ratios`: every ratio to a peer that was measured, on one page.

It measures nothing: each part is what another command wrote, in one run, beside its peer.
"""

import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import native_speed
import pages

FOLDER = Path(__file__).parents[2] / "docs/perf"
PAGE = FOLDER / "README.md"
COMMAND = "make perf-ratios"
PYTORCH = "PyTorch, the faster of its layouts"
FLOOR = " (nothing can be faster)"


@dataclass(frozen=True)
class Row:
    """One thing that ours and a peer do, and how many times as fast ours is."""

    what: str
    peer: str
    faster: float


@dataclass(frozen=True)
class Part:
    """What one command measured, and where."""

    title: str
    command: str
    machine: str
    rows: tuple[Row, ...]


def main() -> int:
    """Write the table."""
    pages.put(PAGE, COMMAND, table())
    return 0


def table() -> str:
    """Return all parts in Markdown."""
    return "\n".join(line for part in parts() for line in _lines(part))


def parts() -> Iterator[Part]:
    """Yield what each command wrote, where it noted the machine and its load."""
    for title, command, name, rows in (
        ("Training step and prediction", "make perf", "native", _steps),
        ("Data", "make perf-data", "data", _rates),
        ("First training step", "make perf-first-step", "first_step", _first_steps),
        ("Epochs", "make perf-overhead", "overhead", _epochs),
        ("Volumes", "make perf-volume", "volume", _windows),
        ("Surface metrics", "make perf-metrics", "metrics", _surfaces),
        ("Sweeps", "make perf-sweep", "sweep", _sweeps),
    ):
        path = FOLDER / f"{name}.json"
        told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if not _notes(told):  # each entry may be of a run of its own
            told = {name: one for name, one in told.items() if _notes(one)}
        machines = [one["machine"] for one in (told, *told.values()) if _notes(one)]
        if machines:
            yield Part(title, command, _told(machines), tuple(rows(told)))


def _notes(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("machine"), dict)


def _steps(native: dict[str, Any]) -> Iterator[Row]:
    words = {"train": "training step", "predict": "prediction"}
    for name, entry in native.items():
        rounds = entry["rounds"]
        for what, word in words.items():
            did = f"{word} of `{name}`"
            yield Row(did, PYTORCH, 1 / native_speed.ratio(rounds, "tensorflow", what))
            if native_speed.COMPILED in rounds[0]:
                over = native_speed.ratio(rounds, "tensorflow", what, native_speed.COMPILED)
                yield Row(did, "torch.compile", 1 / over)


def _rates(data: dict[str, Any]) -> Iterator[Row]:
    for kind, rates in data["samples_per_second"].items():
        ours = "this pipeline, tf.data"
        for peer in rates:
            if peer != ours:
                pairs = zip(rates[ours], rates[peer], strict=True)
                faster = statistics.median(a / b for a, b in pairs)
                told = f"{peer}{FLOOR}" if peer == "bare reads" else peer
                yield Row(f"augmented {kind}", told, faster)


def _first_steps(told: dict[str, Any]) -> Iterator[Row]:
    for name, one in told.items():
        yield Row(f"`{name}`", "a bare tf.function", 1 / one["harness_over_bare"])


def _epochs(told: dict[str, Any]) -> Iterator[Row]:
    yield Row(
        f"epochs of `{told['model']}`", f"a bare model.fit{FLOOR}", 1 / (1 + told["overhead"])
    )


def _windows(told: dict[str, Any]) -> Iterator[Row]:
    yield Row("sliding windows", f"the bare calls{FLOOR}", 1 / (1 + told["overhead"]))
    yield Row("sliding windows", "MONAI", told["monai_over_ours"])


def _surfaces(told: dict[str, Any]) -> Iterator[Row]:
    for size, jobs in sorted(told["sizes"].items(), key=lambda item: int(item[0].split()[0])):
        for job in jobs:
            if job["ratio"]:
                yield Row(f"{job['job']}, a tumour of {size}", "MONAI", job["ratio"])


def _sweeps(told: dict[str, Any]) -> Iterator[Row]:
    yield Row("four runs, two at once", "one after another", told["speedup_of_two_workers"])


def _told(machines: list[dict[str, Any]]) -> str:
    """Name the machine, and say by its load before the run whether other work was there."""
    load = max(machine["load"] for machine in machines)
    names = ", ".join(sorted({f"{one['cpu']}, {one['cores']} cores" for one in machines}))
    return f"{names}; load average before: {load:.2f}, {pages.noise(load)}"


def _lines(part: Part) -> Iterator[str]:
    yield f"## {part.title}"
    yield ""
    yield f"`{part.command}`. {part.machine}."
    yield ""
    yield "| what | beside | times as fast |"
    yield "|---|---|--:|"
    for row in part.rows:
        bold = "**" if row.faster >= 1 else ""
        yield f"| {row.what} | {row.peer} | {bold}{row.faster:.2f}{bold} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
