"""What is to be measured, and which of it is done: the list that results/README.md prints."""

import json
import math
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import zoo
from benchmarks.machine import child_process
from benchmarks.protocols import chosen_models, protocol
from benchmarks.records import result_paths
from benchmarks.running.job import Job
from benchmarks.sweep.finished import is_good

PROFILES = "profiles"


@dataclass(frozen=True)
class Plan:
    """How to measure: at full size on a GPU, or as a rehearsal on whatever is there."""

    backend: str = "jax"
    precision: str = "mixed_bfloat16"
    protocol: str = "lgg2d"
    slices: tuple[int, ...] = (128, 256)
    batch: int = 16
    volume: int = 128
    width: float = 1.0
    seconds: float = 3.0
    require_gpu: bool = True

    @property
    def options(self) -> list[str]:
        """Return the options that every command has."""
        found = ["--backend", self.backend, "--precision", self.precision]
        return [*found, "--require-gpu"] if self.require_gpu else found


REHEARSAL = Plan(
    precision="float32",
    protocol="smoke",
    slices=(32,),
    batch=2,
    volume=16,
    width=0.125,
    seconds=0.2,
    require_gpu=False,
)


@dataclass(frozen=True)
class Task:
    """A command, and the file that it leaves under `results` when it has done its work.

    A training's `file` is a pattern: which data it finds is known where it runs.
    """

    name: str
    arguments: tuple[str, ...]
    file: str
    prints: bool = False  # its standard output is that file

    @property
    def command(self) -> list[str]:
        """Return the command line for this interpreter."""
        return child_process.command("benchmarks", *self.arguments)

    def done(self, results: Path) -> bool:
        """Say whether any machine has done it."""
        found = results.glob(f"*/{self.file}")
        return any(map(_is_json if self.prints else is_good, found))


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    return True


def tasks(plan: Plan, data: str | None) -> list[Task]:
    """Return everything, cheap before dear: profiles, then trainings by their operations."""
    return [*_profiles(plan), *_trainings(plan, data)]


def outstanding(every: Iterable[Task], results: Path) -> list[Task]:
    """Return the tasks that no machine has done."""
    return [task for task in every if not task.done(results)]


def _profiles(plan: Plan) -> Iterator[Task]:
    for model in zoo.names():
        ranks = zoo.card(model).ranks
        shapes: list[tuple[tuple[int, ...], int]] = [
            ((side, side, 3), plan.batch) for side in plan.slices if 2 in ranks
        ]
        shapes += [((plan.volume,) * 3 + (4,), 1)] if 3 in ranks else []
        for shape, batch in shapes:
            yield _profile(plan, model, shape, batch)


def _profile(plan: Plan, model: str, shape: tuple[int, ...], batch: int) -> Task:
    sides = "x".join(map(str, shape))
    name = f"{model}-{sides}-b{batch}-{plan.backend}-{plan.precision}"
    arguments = (
        *("profile", model, "--input-shape", sides, "--batch-size", str(batch)),
        *("--width", f"{plan.width:g}", "--seconds", f"{plan.seconds:g}"),
        *("--train", "--json", *plan.options),
    )
    return Task(f"profile {name}", arguments, f"{PROFILES}/{name}.json", prints=True)


def _trainings(plan: Plan, data: str | None) -> Iterator[Task]:
    models, _ = chosen_models.models("all", plan.protocol)
    for model in sorted(models, key=_operations):
        job = Job(
            model=model,
            protocol=plan.protocol,
            data=data,
            backend=plan.backend,
            precision=plan.precision,
            require_gpu=plan.require_gpu,
        )
        names = result_paths.pattern(job.as_json(), protocol.find(plan.protocol, model).digest)
        yield Task(f"train {model}", tuple(shlex.split(job.command)[1:]), names)


def _operations(model: str) -> float:
    """Return the reference operations of a model for a pixel, or a voxel where there is none."""
    references = [one for one in zoo.card(model).references if one.variant is None]
    reference = min(references, key=lambda one: len(one.input_shape))
    return (reference.gflops or 0) / math.prod(reference.input_shape[:-1])
