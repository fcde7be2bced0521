"""What one model costs: counted, timed and weighed, without data and without training."""

from dataclasses import asdict, dataclass
from typing import Any

import keras

from benchmarks.backends import device
from benchmarks.cost import flops, memory, timing
from benchmarks.cost.flops import Count
from benchmarks.cost.flops_audit import Entry, reconcile
from benchmarks.cost.profiled_model import Subject


@dataclass(frozen=True)
class Profile:
    """The cost of one model on this machine; the names are those of interface.md.

    What was not measured is None. `gflops` are 2 x `gmacs`, for one sample; `gflops_other` are the
    operations that are no multiply-adds. `mfu` is achieved over `peak_gflops_measured`, both of
    `gflops` alone. `arithmetic_intensity` is `gflops` over the bytes that move if each layer call
    reads its inputs and weights and writes its outputs once: what fusion saves is not in it.
    """

    model: str
    variant: str | None
    input_shape: tuple[int, ...]
    classes: int
    width: float
    backend: str
    precision: str
    jit: bool
    params: int
    params_trainable: int
    gmacs: float
    gflops: float
    gflops_other: float
    infer_batch_size: int
    latency_ms: dict[str, float]
    infer_samples_per_sec: float
    compile_s: float
    peak_memory_bytes: int | None
    peak_gflops_measured: float
    mfu: float
    arithmetic_intensity: float
    energy_j_per_sample: float | None
    audit: tuple[Entry, ...] = ()
    train_step_ms: dict[str, float] | None = None
    train_samples_per_sec: float | None = None
    train_compile_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)


def profile(
    subject: Subject,
    *,
    train: bool = False,
    audited: bool = False,
    jit: bool | None = None,
    budget_s: float = 3.0,
) -> Profile:
    """Measure a model on the backend that Keras runs on, inference and if asked a training step.

    `budget_s` bounds each timing; peak memory is that of the training step if there is one.
    """
    jit = device.resolve_jit(jit)
    model = subject.build()
    counted = flops.count(model)
    audit = reconcile(model) if audited else ()
    infer = timing.measure(timing.inference_step(model, subject.batch_size, jit), budget_s)
    peak = timing.peak_gflops(compute_dtype(subject), min(1.0, budget_s))
    return Profile(
        **_identity(subject, model),
        **counts(counted),
        jit=jit,
        infer_batch_size=subject.batch_size,
        latency_ms=infer.milliseconds(),
        infer_samples_per_sec=infer.per_second(subject.batch_size),
        compile_s=infer.compile_s,
        peak_memory_bytes=memory.peak_bytes(subject, jit, train),
        peak_gflops_measured=peak,
        mfu=2e-9 * counted.macs * infer.per_second(subject.batch_size) / peak,
        arithmetic_intensity=intensity(counted, subject),
        energy_j_per_sample=None if infer.joules is None else infer.joules / subject.batch_size,
        audit=audit,
        **(_training(model, subject, jit, budget_s) if train else {}),
    )


def compute_dtype(subject: Subject) -> str:
    """Name the type that a precision multiplies in."""
    return keras.dtype_policies.get(subject.precision).compute_dtype


def bytes_moved(counted: Count, subject: Subject) -> int:
    """Return the bytes of a batch if each call reads and writes its values once; weights once."""
    policy = keras.dtype_policies.get(subject.precision)
    size = {"float32": 4, "bfloat16": 2, "float16": 2}
    calls = (row for row in counted.rows if row.kind not in flops.MOVES_NOTHING)
    values = sum(row.elements for row in calls) * subject.batch_size
    return values * size[policy.compute_dtype] + counted.params * size[policy.variable_dtype]


def intensity(counted: Count, subject: Subject) -> float:
    """Return operations per byte: a model's place on the roofline's axis."""
    return 2 * counted.macs * subject.batch_size / bytes_moved(counted, subject)


def _identity(subject: Subject, model: keras.Model) -> dict[str, Any]:
    return {
        "model": subject.model,
        "variant": subject.variant,
        "input_shape": tuple(model.input_shape[1:]),
        "classes": model.output_shape[-1],
        "width": subject.width,
        "backend": device.backend(),
        "precision": subject.precision,
    }


def counts(counted: Count) -> dict[str, Any]:
    """Give what was counted in the words of a record."""
    return {
        "params": counted.params,
        "params_trainable": counted.params_trainable,
        "gmacs": 1e-9 * counted.macs,
        "gflops": 2e-9 * counted.macs,
        "gflops_other": 1e-9 * counted.other,
    }


def _training(model: keras.Model, subject: Subject, jit: bool, budget_s: float) -> dict[str, Any]:
    """Time the optimiser step; it comes last because it changes the weights."""
    step = timing.measure(timing.training_step(model, subject.batch_size, jit), budget_s)
    return {
        "train_step_ms": step.milliseconds(),
        "train_samples_per_sec": step.per_second(subject.batch_size),
        "train_compile_s": step.compile_s,
    }
