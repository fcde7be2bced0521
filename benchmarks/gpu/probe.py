"""What an epoch takes: the harness's own training and validation, for a moment and thrown away."""

import time

from benchmarks.backends import device
from benchmarks.inference.predictor import Predictor
from benchmarks.running import settle, stages
from benchmarks.running.job import Job
from benchmarks.training import evaluate
from benchmarks.training import train as training

WARM = 2  # steps that compile


class Probe:
    """A training that is compiled and has not begun; `run.prepare` comes before this module."""

    def __init__(self, job: Job):
        slot, began = settle.slot(job), time.monotonic()
        self.data = stages.data_of(slot)
        model = stages.build(slot, self.data)
        jit = device.resolve_jit(job.jit)
        self.learner, self.loss = training.compile_model(model, self.data, slot.protocol, jit=jit)
        self.batches, _ = training.feed(self.data, 0, watch=False)
        self.settings = slot.protocol.evaluate
        self.predict = Predictor(model, self.settings)
        self._steps(WARM)
        self._validation()
        self.start_seconds = time.monotonic() - began

    def epoch_seconds(self, seconds: float) -> float:
        """Take steps for about that long; return what a whole epoch and its validation take."""
        whole = self.data.steps_per_epoch
        few = min(whole, 2 * WARM)
        step = self._steps(few) / few
        many = max(few, min(whole, int(seconds / step)))
        return whole * self._steps(many) / many + self._validation()

    def _steps(self, count: int) -> float:
        began = time.monotonic()
        self.learner.fit(self.batches, epochs=1, steps_per_epoch=count, shuffle=False, verbose=0)
        return time.monotonic() - began

    def _validation(self) -> float:
        began = time.monotonic()
        evaluate.validate(self.predict, self.data, self.settings, self.loss)
        return time.monotonic() - began
