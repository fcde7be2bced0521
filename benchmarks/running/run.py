"""One run, as a straight line: Run -> Data -> Model -> History -> Quality -> Cost -> Record.

`run` works in the process that calls it; `benchmarks.running.launch` gives each run one of its own.
"""

from pathlib import Path

from benchmarks.backends import device, meters, several_devices
from benchmarks.backends.device import silence
from benchmarks.errors import USER_ERRORS
from benchmarks.machine import environment
from benchmarks.records import record
from benchmarks.records.record import Record
from benchmarks.running import settle
from benchmarks.running.job import Job
from benchmarks.running.slot import Slot, writing
from benchmarks.running.unfinished import Unfinished
from benchmarks.terminal import progress


def run(job: Job, *, keep_best: bool = False) -> Path:
    """Bring a run to its record, from wherever it stands, and return the record's path.

    With `keep_best` its folder holds the best weights so far from the first good epoch on, and
    checkpoints are written more often: for machines that may be taken away at any moment.
    """
    slot = settle.slot(job, None if job.quiet else progress.progress("Checking"))
    with slot.claimed():
        if slot.finished() is None:
            prepare(job)
            with writing(slot.folder):
                facts = environment.facts(job.jit, job.devices)
                unfinished = Unfinished.begin(slot, facts, keep_best=keep_best)
                done = attempt(slot, unfinished)
                record.write_to(slot.path, done)
                unfinished.end(done)
    return slot.path


def prepare(job: Job) -> None:
    """Settle backend, precision and randomness, before anything imports Keras."""
    device.select_backend(job.backend)
    with silence():
        several_devices.expose(job.devices)
        if job.deterministic:
            device.make_deterministic()
        device.set_precision(job.precision)
        from benchmarks.backends import fusion

        fusion.fuse()
        device.gpus()  # looks for them, which is when a backend starts
    if job.require_gpu:
        device.require_gpu()


def attempt(slot: Slot, unfinished: Unfinished) -> Record:
    """Return the record of what happened, good or bad; the user's mistakes are no run at all."""
    try:
        with writing(slot.folder):
            return straight(slot, unfinished)
    except (*USER_ERRORS, BrokenPipeError):  # nor is it one that nobody listens any more
        raise
    except Exception as error:
        return unfinished.failed(error)


def straight(slot: Slot, unfinished: Unfinished) -> Record:
    """Do the work: every stage takes values and returns a value."""
    from benchmarks.running import recalibrated, stages

    data = stages.load(slot, unfinished)
    before = meters.resident_memory()
    with several_devices.spread(slot.job.devices):
        model = stages.build(slot, data)
        state = recalibrated.trained(slot, model) or stages.train(slot, model, data, unfinished)
        recalibration = recalibrated.apply(slot, model, data)
        quality = stages.evaluate(slot, model, data)
    cost = stages.cost(slot, model, state, before)
    stages.draw(slot, model, data, quality, state)
    return stages.conclude(unfinished.record, model, state, quality, cost, recalibration)
