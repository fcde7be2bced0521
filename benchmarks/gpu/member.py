"""The process of one network: it does what it is asked, a line of JSON each, until told to end.

It answers with a line of JSON. Whatever else is printed goes to standard error, which is a log.
"""

import gc
import json
import os
import signal
import sys
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.machine import child_process
from benchmarks.running.job import Job
from benchmarks.terminal import streams

if TYPE_CHECKING:
    from benchmarks.gpu.probe import Probe

CUT, ERROR = "cut", "error"


@dataclass
class Member:
    """One network in this process; each method is a request, and returns the answer."""

    model: str
    settings: dict[str, Any]  # of every job: backend, precision, threads, ...
    _probe: "Probe | None" = field(default=None, repr=False)

    def warm(self, protocol: str, data: str | None) -> dict[str, Any]:
        """Load, build and compile, and say how long it took: a training will do so again."""
        from benchmarks.running import run

        job = self._job(protocol, data)
        run.prepare(job)
        from benchmarks.gpu.probe import Probe

        self._probe = Probe(job)
        return {"start": self._probe.start_seconds}

    def measure(self, seconds: float) -> dict[str, Any]:
        """Train for a moment, and say how long an epoch takes."""
        if self._probe is None:
            raise RuntimeError("it was not warmed")
        return {"epoch": self._probe.epoch_seconds(seconds)}

    def train(self, protocol: str, data: str | None) -> dict[str, Any]:
        """Bring a run to its record."""
        from benchmarks.records import record
        from benchmarks.running.run import run

        self._forget()
        path = run(self._job(protocol, data), keep_best=True)
        done = record.read(path)
        if done.status != "ok":
            return {ERROR: (done.error or {}).get("message", "failed")}
        return {"record": path.name, "epochs": done.training["epochs"]}

    def profile(self, shape: list[int], batch: int, width: float, seconds: float) -> dict[str, Any]:
        """Count, time and weigh the network at a shape, a training step too."""
        from benchmarks.backends import device

        device.start(self.settings["backend"], require=self.settings["require_gpu"])
        from benchmarks.cost.profile import profile
        from benchmarks.cost.profiled_model import Subject

        self._forget()
        subject = Subject(
            self.model,
            input_shape=tuple(shape),
            width=width,
            batch_size=batch,
            precision=self.settings["precision"],
        )
        found = profile(subject, train=True, budget_s=seconds).as_dict()
        if found["peak_memory_bytes"] is None:
            return {ERROR: "its peak memory could not be measured in the share that it has"}
        return found

    def _job(self, protocol: str, data: str | None) -> Job:
        return Job(self.model, protocol, data=data, **self.settings)

    def _forget(self) -> None:
        """Give back what the last request held."""
        self._probe = None
        if "keras" in sys.modules:
            import keras

            keras.backend.clear_session()
        gc.collect()


def main(terms: str) -> int:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    streams.settle()
    child_process.follow_parent()
    member = Member(**json.loads(terms))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what comes too late for a request means nothing
    for line in sys.stdin:
        print(json.dumps(_answer(member, json.loads(line))), file=answers, flush=True)
    return 0


def _answer(member: Member, request: dict[str, Any]) -> dict[str, Any]:
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return getattr(member, request.pop("do"))(**request)
    except KeyboardInterrupt:
        return {CUT: True}
    except Exception as error:  # one request's trouble is not the next one's
        traceback.print_exc()
        return {ERROR: " ".join(f"{type(error).__name__}: {error}".split())[:300]}
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
