"""What is to be done, in which order, and which of it is done: what `make gpu-list` prints."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import zoo
from benchmarks.protocols import protocol
from benchmarks.records import record
from benchmarks.sweep.finished import is_good

PROFILES, PROTOCOLS = "profiles", "protocols"
# Those that the audited tables compare: they come first, for an early end leaves a table of them.
FIRST: tuple[str, ...] = ("sa_unet", "deeplabv3plus", "resnet50_unet", "unet", "res_attention_unet")
FIRST += ("attention_unet", "mod_r2au", "ar2_unet")


@dataclass(frozen=True)
class Plan:
    """How to measure: at full size on a GPU, or as a rehearsal on whatever is there."""

    backend: str = "jax"
    precision: str = "mixed_bfloat16"
    protocols: tuple[str, ...] = ("lgg2d", "brats2d")
    models: tuple[str, ...] | None = None  # None are all; otherwise those, and no others
    slices: tuple[int, ...] = (128, 256)
    batch: int = 16
    volume: int = 128
    width: float = 1.0
    seconds: float = 3.0  # of each timing of a profile
    watch: float = 20.0  # seconds for which all trainings are timed together
    require_gpu: bool = True

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Return the models that train at once, group by group; the cheapest first in each."""
        if self.models is not None:
            return (self.models,)
        others = [name for name in zoo.names() if name not in FIRST]
        return FIRST, tuple(sorted(others, key=_operations))


REHEARSAL = Plan(
    precision="float32",
    protocols=("smoke",),
    models=("sa_unet", "unet"),
    slices=(32,),
    batch=2,
    volume=16,
    width=0.125,
    seconds=0.2,
    watch=1.0,
    require_gpu=False,
)


@dataclass(frozen=True)
class Training:
    """A network under a protocol, whatever epochs it is sized to."""

    model: str
    protocol: str
    backend: str
    precision: str

    @property
    def name(self) -> str:
        """Return its name in lists."""
        return f"train {self.protocol} {self.model}"

    def done(self, results: Path) -> bool:
        """Say whether any machine has done it."""
        return any(self._is_of(path) for path in _records(results, self.protocol, self.model))

    def _is_of(self, path: Path) -> bool:
        run = record.read(path).run
        told = (run["model"], run["backend"], run["precision"])
        return told == (self.model, self.backend, self.precision)


@dataclass(frozen=True)
class Profile:
    """A network at one shape and batch."""

    model: str
    shape: tuple[int, ...]
    batch: int
    plan: Plan

    @property
    def stem(self) -> str:
        """Return the name of its file."""
        sides = "x".join(map(str, self.shape))
        return f"{self.model}-{sides}-b{self.batch}-{self.plan.backend}-{self.plan.precision}"

    @property
    def name(self) -> str:
        """Return its name in lists."""
        return f"profile {self.stem}"

    def path(self, results: Path, machine: str) -> Path:
        """Say where what it finds lies."""
        return results / machine / PROFILES / f"{self.stem}.json"

    def done(self, results: Path) -> bool:
        """Say whether any machine has done it."""
        return any(map(_is_json, results.glob(f"*/{PROFILES}/{self.stem}.json")))


Task = Training | Profile


def stages(plan: Plan) -> Iterator[list[Training] | list[Profile]]:
    """Yield what is done at a time: a group's trainings, its profiles, its other trainings."""
    first, *others = plan.protocols
    for group in plan.groups:
        yield trainings(plan, first, group)
        yield profiles(plan, group)
        for name in others:
            yield trainings(plan, name, group)


def trainings(plan: Plan, name: str, group: tuple[str, ...]) -> list[Training]:
    """Return the trainings of those of a group that the protocol can take."""
    rank = protocol.shipped(name).data.rank
    fitting = [model for model in group if rank in zoo.card(model).ranks]
    return [Training(model, name, plan.backend, plan.precision) for model in fitting]


def profiles(plan: Plan, group: tuple[str, ...]) -> list[Profile]:
    """Return the profiles of a group, model by model."""
    found = []
    for model in group:
        ranks = zoo.card(model).ranks
        sides = [(side, side, 3) for side in plan.slices if 2 in ranks]
        found += [Profile(model, shape, plan.batch, plan) for shape in sides]
        if 3 in ranks:
            found.append(Profile(model, (*[plan.volume] * 3, 4), 1, plan))
    return found


def tasks(plan: Plan) -> list[Task]:
    """Return everything, in its order."""
    return [task for stage in stages(plan) for task in stage]


def epochs_of(results: Path, base: str) -> int | None:
    """Return how many epochs a protocol was sized to, by any machine; None before it was."""
    sized = re.compile(rf"{re.escape(base)}_(\d+)e")
    found = (sized.fullmatch(path.stem) for path in results.glob(f"*/{PROTOCOLS}/*.toml"))
    return max((int(match[1]) for match in found if match), default=None)


def sized_name(base: str, epochs: int) -> str:
    """Name a protocol that has other epochs than the one it is made of."""
    return f"{base}_{epochs}e"


def _records(results: Path, base: str, model: str) -> Iterator[Path]:
    """Yield the good records of a model under a protocol, or under one that was sized."""
    own = re.compile(rf"-{re.escape(base)}(_\d+e)?-")
    for path in sorted(results.glob(f"*/{model}-{base}*.json")):
        if own.search(path.name) and is_good(path):
            yield path


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    return True


def _operations(model: str) -> float:
    """Return the reference operations of a model for a pixel, or a voxel where there is none."""
    references = [one for one in zoo.card(model).references if one.variant is None]
    reference = min(references, key=lambda one: len(one.input_shape))
    return (reference.gflops or 0) / math.prod(reference.input_shape[:-1])
