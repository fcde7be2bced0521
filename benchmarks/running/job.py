"""`Job`: one run as a user asks for it; everything that varies, as plain values."""

import shlex
from dataclasses import asdict, dataclass, fields
from typing import Any

from benchmarks.errors import UserError

SEEDS = 2**32 - 1  # what NumPy and Keras take


@dataclass(frozen=True)
class Job:
    """A model under a protocol, and where and how it is to run."""

    model: str
    protocol: str = "quick"
    variant: str | None = None
    seed: int = 0
    fold: int = 0
    data: str | None = None
    version: str | None = None
    backend: str | None = None
    precision: str = "float32"
    jit: bool | None = None
    deterministic: bool = False
    require_gpu: bool = False
    threads: int | None = None
    devices: int = 1
    recalibrate: bool = False
    results: str = "results"
    cache: str | None = None
    force: bool = False
    quiet: bool = False
    from_weights: str | None = None  # a run's folder or its weights file, to go on from

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= SEEDS:
            raise UserError(f"Expected a seed from 0 to {SEEDS}. Received: {self.seed}.")
        if self.threads is not None and self.threads < 1:
            raise UserError(f"Expected --threads of 1 or more. Received: {self.threads}.")

    @property
    def command(self) -> str:
        """Return the command that repeats the run."""
        words = ["gliozoo", "bench", self.model]
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in ("model", "force", "quiet", "cache") or value == item.default:
                continue
            option = f"--{item.name.removesuffix('_weights').replace('_', '-')}"
            if value is True:
                words.append(option)
            elif value is False:
                words.append(option.replace("--", "--no-", 1))
            else:
                words += [option, str(value)]
        return shlex.join(words)

    def as_json(self) -> dict[str, Any]:
        """Return plain values, from which `Job(**values)` is made again."""
        return asdict(self)
