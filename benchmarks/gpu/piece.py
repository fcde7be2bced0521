"""A piece: what is outstanding, stage by stage, until its minutes are over."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gpu import agenda, sizing
from benchmarks.gpu.agenda import PACKED, PROFILE, SCORED, Stage
from benchmarks.gpu.crew import DEAF, GONE, Crew
from benchmarks.gpu.member import CUT, ERROR
from benchmarks.gpu.sizing import Size
from benchmarks.gpu.tasks import Plan, Profile, Training
from benchmarks.protocols import protocol
from benchmarks.records import atomic

LOG = "log.txt"  # what the members say besides their answers; it travels home


@dataclass
class Piece:
    """The piece that runs now; `data` names the records of each protocol, None phantoms."""

    plan: Plan
    work: Path
    machine: str
    end: float  # of `time.monotonic`, the way home included
    outside: Mapping[str, str]
    data: Mapping[str, str | None]
    done: Sequence[Path]  # results folders in which a task may be done already
    failed: int = 0
    _crew: Crew | None = None
    _gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._end = self.end - PACKED

    def run(self) -> None:
        """Do what is outstanding, as far as the minutes go."""
        try:
            for stage in agenda.stages(self.plan, self.done):
                seconds = stage.share(self._end - time.monotonic())
                if not seconds:
                    first, *others = stage.tasks
                    print(f"{first.name} and {len(others)} more wait for the next piece.")
                elif stage.trains:
                    self._train(stage, time.monotonic() + seconds)
                else:
                    self._profile(stage, time.monotonic() + seconds)
        finally:
            if self._crew:
                self._crew.close()

    def _train(self, stage: Stage, until: float) -> None:
        (base,) = {task.protocol for task in stage.tasks if isinstance(task, Training)}
        if base not in self.data:
            print(f"{base} waits for all parts of its records, one a call.", flush=True)
            return
        crew, size = self._members(stage.models), Size(stage.epochs or 0, stage.models)
        if stage.epochs is None:
            size = self._sized(base, stage.models, crew, until)
        if size.models:
            name = sizing.written(base, size.epochs, self.work, self.machine)
            train = {"do": "train", "protocol": name, "data": self.data[base]}
            answers = crew.ask(dict.fromkeys(size.models, train), self._end)
            self._good(f"train {name}", answers)

    def _sized(self, base: str, models: tuple[str, ...], crew: Crew, until: float) -> Size:
        """Time all of them together, and size their training so that it ends in time."""
        warm = {"do": "warm", "protocol": base, "data": self.data[base]}
        by_then = until - SCORED - self.plan.watch
        started = crew.ask(dict.fromkeys(models, warm), by_then)
        models = self._good(f"warm {base}", started)
        watch = {"do": "measure", "seconds": self.plan.watch}
        answers = crew.ask(dict.fromkeys(models, watch), until)
        epoch = {name: answers[name]["epoch"] for name in self._good(f"time {base}", answers)}
        if not epoch:
            return Size(0, ())
        start = max(started[name]["start"] for name in epoch)
        seconds = until - SCORED - start - time.monotonic()
        size = sizing.epochs(epoch, seconds, protocol.shipped(base).train.epochs)
        then = (
            f"{size.epochs} for each of {', '.join(size.models)}" if size.models else "too few fit"
        )
        print(
            f"{base}: an epoch takes from {min(epoch.values()):.1f} to {max(epoch.values()):.1f} "
            f"s, all at it; {then}.",
            flush=True,
        )
        return size

    def _profile(self, stage: Stage, until: float) -> None:
        for task in stage.tasks:
            if task.model in self._gone:
                continue  # it is for the next piece, and alone: the others go on
            if time.monotonic() > until - PROFILE:
                print("The other profiles are left to the next piece.", flush=True)
                return
            assert isinstance(task, Profile)
            request = {
                "do": "profile",
                "shape": task.shape,
                "batch": task.batch,
                "width": self.plan.width,
                "seconds": self.plan.seconds,
            }
            answers = self._members((task.model,)).ask({task.model: request}, self._end)
            if self._good(task.name, answers):
                content = json.dumps(answers[task.model], indent=2).encode()
                atomic.write(task.path(self.work / "results", self.machine), content)

    def _members(self, models: tuple[str, ...]) -> Crew:
        """Return those that are there if nobody is missing, else new ones in their place."""
        if self._crew is None or not set(models) <= self._crew.members.keys():
            if self._crew:
                self._crew.close()
            settings = {
                "backend": self.plan.backend,
                "precision": self.plan.precision,
                "require_gpu": self.plan.require_gpu,
                "results": "results",
            }
            log = self.work / "results" / self.machine / LOG
            self._crew = Crew(models, settings, self.work, log, self.outside)
        return self._crew

    def _good(self, what: str, answers: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
        """Return whose answers are good; say of the others what came of them."""
        good = []
        for model, answer in answers.items():
            if ERROR in answer:
                self.failed += 1
                if answer[ERROR] in (GONE, DEAF):
                    self._gone.add(model)
                print(f"failed: {what}, {model}: {answer[ERROR]}", flush=True)
            elif CUT in answer:
                print(f"cut short: {what}, {model}", flush=True)
            else:
                good.append(model)
        if good:
            print(f"done: {what}, {', '.join(good)}", flush=True)
        return tuple(good)
