"""What the runs cost, by machine and protocol.

A time means nothing beside one of another machine, and a model of other widths is another model.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.comparison.reading.row_names import labels
from benchmarks.records.record import Record


@dataclass(frozen=True, order=True)
class Setting:
    """What must be equal for two times to be compared."""

    machine: str
    device: str
    backend: str
    precision: str
    jit: str
    batch_size: str
    input_shape: str
    protocol: str
    protocol_digest: str

    def __str__(self) -> str:
        return ", ".join(
            part
            for part in (
                self.machine,
                self.device,
                self.backend,
                self.precision,
                self.jit,
                f"batch {self.batch_size}",
                f"input {self.input_shape}",
                self.protocol and f"{self.protocol} ({self.protocol_digest[:8] or 'no digest'})",
            )
            if part
        )


@dataclass(frozen=True)
class Cost:
    """One model's costs in one setting: medians over its runs, None where not measured."""

    model: str
    params: float | None
    params_trainable: float | None
    gmacs: float | None
    gflops: float | None
    gflops_other: float | None
    latency_p50: float | None
    latency_p95: float | None
    infer_samples_per_sec: float | None
    train_samples_per_sec: float | None
    compile_s: float | None
    peak_memory_bytes: float | None
    peak_gflops_measured: float | None
    mfu: float | None
    arithmetic_intensity: float | None
    energy_j_per_sample: float | None
    train_seconds: float | None

    @property
    def achieved_gflops(self) -> float | None:
        """Return the GFLOP/s that inference reached."""
        if self.gflops is None or self.infer_samples_per_sec is None:
            return None
        return self.gflops * self.infer_samples_per_sec


Costs = Mapping[Setting, Mapping[str, Cost]]
COUNTED = ("model", "params", "params_trainable", "gmacs", "gflops", "gflops_other")


def costs(records: Iterable[Record]) -> dict[Setting, dict[str, Cost]]:
    """Gather the costs of finished runs by setting, and in each the fastest model first."""
    gathered: dict[Setting, dict[str, list[Record]]] = {}
    known = [record for record in records if record.cost]
    for record, name in zip(known, labels(known), strict=True):
        gathered.setdefault(setting(record), {}).setdefault(name, []).append(record)
    return {
        one: dict(
            sorted(
                ((name, _cost(name, runs)) for name, runs in models.items()),
                key=lambda entry: (entry[1].latency_p50 or float("inf"), entry[0]),
            )
        )
        for one, models in sorted(gathered.items(), key=lambda entry: -len(entry[1]))
    }


def counted(costs: Costs, model: str, setting: Setting) -> Cost | None:
    """Return what no machine changes, parameters and operations, from any with equal terms."""
    for other, models in costs.items():
        if _terms(other) == _terms(setting) and model in models:
            told = asdict(models[model])
            untimed: dict[str, Any] = {name: None for name in told if name not in COUNTED}
            return Cost(**(told | untimed))
    return None


def _terms(setting: Setting) -> tuple[str, ...]:
    return setting.protocol_digest or setting.protocol, setting.input_shape


def setting(record: Record) -> Setting:
    """Return the setting in which a run was measured."""
    environment, cost = record.environment, record.cost
    shape = cost.get("input_shape") or ()
    return Setting(
        machine=record.machine,
        device=device_of(environment),
        backend=" ".join(_text(environment.get(key)) for key in ("backend", "backend_version")),
        precision=_text(cost.get("precision") or environment.get("precision")),
        jit="jit" if environment.get("jit") else "",
        batch_size=_text(cost.get("infer_batch_size")),
        input_shape="x".join(map(str, shape)) if isinstance(shape, list | tuple) else _text(shape),
        protocol=_text(record.run.get("protocol")),
        protocol_digest=record.protocol_digest or "",
    )


def device_of(environment: Mapping[str, Any]) -> str:
    """Name what computed: a GPU, or a processor with its instructions, where they are told."""
    processor = (environment.get("cpu"), environment.get("instructions"))
    return _text(environment.get("gpu")) or ", ".join(filter(None, map(_text, processor)))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _cost(name: str, runs: list[Record]) -> Cost:
    def middle(key: str) -> float | None:
        return _median(run.cost.get(key) for run in runs)

    return Cost(
        model=name,
        params=middle("params"),
        params_trainable=middle("params_trainable"),
        gmacs=middle("gmacs"),
        gflops=middle("gflops"),
        gflops_other=middle("gflops_other"),
        latency_p50=_median(_latency(run, "p50") for run in runs),
        latency_p95=_median(_latency(run, "p95") for run in runs),
        infer_samples_per_sec=middle("infer_samples_per_sec"),
        train_samples_per_sec=middle("train_samples_per_sec"),
        compile_s=middle("compile_s"),
        peak_memory_bytes=middle("peak_memory_bytes"),
        peak_gflops_measured=middle("peak_gflops_measured"),
        mfu=middle("mfu"),
        arithmetic_intensity=middle("arithmetic_intensity"),
        energy_j_per_sample=middle("energy_j_per_sample"),
        train_seconds=_median(run.training.get("seconds") for run in runs),
    )


def _latency(run: Record, quantile: str) -> Any:
    latency = run.cost.get("latency_ms")
    return latency.get(quantile) if isinstance(latency, Mapping) else None


def _median(values: Iterable[Any]) -> float | None:
    known = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return median(known) if known else None
