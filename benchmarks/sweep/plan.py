"""What a sweep consists of: every model with every seed and fold, and which of them are done.

Seeds and folds come first, so that an interrupted sweep has compared all models on the first ones.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.protocols import chosen_models
from benchmarks.running import settle
from benchmarks.running.job import Job
from benchmarks.running.slot import Slot
from benchmarks.sweep.finished import Finished
from benchmarks.terminal import progress

_PART = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True)
class Plan:
    """The slots of a sweep: those still to be run, in their order, and those with good records."""

    waiting: tuple[Slot, ...]
    done: tuple[tuple[Slot, Path], ...] = ()
    left_out: tuple[str, ...] = ()


def make(pattern: Job, models: str, seeds: str, folds: str, *, any_machine: bool = False) -> Plan:
    """Expand a pattern; `any_machine` takes for done what another machine has finished."""
    names, left_out = chosen_models.models(models, pattern.protocol)
    jobs = [
        replace(pattern, model=name, seed=seed, fold=fold)
        for seed in numbers(seeds, "--seeds")
        for fold in numbers(folds, "--folds")
        for name in names
    ]
    slots = settle.slots(jobs, progress.progress("Checking"))
    finished = Finished(pattern.results, any_machine)
    records = [None if pattern.force else finished.path(slot) for slot in slots]
    return Plan(
        tuple(slot for slot, path in zip(slots, records, strict=True) if not path),
        tuple((slot, path) for slot, path in zip(slots, records, strict=True) if path),
        tuple(left_out),
    )


def numbers(text: str, option: str) -> tuple[int, ...]:
    """Read `0,1,2`, `0-4` or a mixture of both; each number once, in the order given."""
    found: dict[int, None] = {}
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise UserError(f"Expected {option} like 0,1,2 or 0-4. Received: {text!r}.")
        found |= dict.fromkeys(range(first, last + 1))
    return tuple(found)
