"""What a run's model costs here: counted, timed and weighed within the run's own process.

`gliozoo profile` tells more (training step, audit, energy); a run keeps what every table shows.
"""

import statistics
from typing import Any

import keras

from benchmarks.backends import meters
from benchmarks.cost import flops, profile, timing
from benchmarks.cost.flops import Count
from benchmarks.cost.profiled_model import Subject
from benchmarks.errors import UserError
from benchmarks.training.state import State


def measure(
    model: keras.Model, subject: Subject, state: State, *, jit: bool, memory_before: int
) -> dict[str, Any]:
    """Return the cost section of a record; the training's speed is that of its usual epoch."""
    peak_memory = meters.peak_memory()  # of the training, before the timing adds its own
    counted = _counted(model)
    infer = timing.measure(timing.inference_step(model, subject.batch_size, jit), timing.IN_A_RUN)
    speed = infer.per_second(subject.batch_size)
    peak = timing.peak_gflops(profile.compute_dtype(subject), timing.IN_A_RUN / 4)
    speeds = [row["samples_per_sec"] for row in state.history]
    return {
        **(profile.counts(counted) if counted else {"params": model.count_params()}),
        "input_shape": list(model.input_shape[1:]),
        "width": subject.width,
        "precision": subject.precision,
        "infer_batch_size": subject.batch_size,
        "latency_ms": infer.milliseconds(),
        "infer_samples_per_sec": speed,
        "train_samples_per_sec": statistics.median(speeds) if speeds else None,
        "compile_s": infer.compile_s,
        "peak_memory_bytes": None if peak_memory is None else max(0, peak_memory - memory_before),
        "peak_gflops_measured": peak,
        "mfu": 2e-9 * counted.macs * speed / peak if counted else None,
        "arithmetic_intensity": profile.intensity(counted, subject) if counted else None,
    }


def _counted(model: keras.Model) -> Count | None:
    """Count a model; of one from outside the zoo, a layer without a rule leaves it unknown."""
    try:
        return flops.count(model)
    except UserError:
        if model.zoo_identity.origin is None:
            raise
        return None
