"""What one run needs of a cluster."""

from dataclasses import dataclass

from benchmarks.errors import UserError


@dataclass(frozen=True)
class Needs:
    """Processors, GPUs (a part of one, too) and memory of a run; None leaves it to the engine."""

    cpus: int = 1
    gpus: float | None = None
    memory_gb: float | None = None

    def __post_init__(self) -> None:
        if self.cpus < 1:
            raise UserError(f"Expected --threads of 1 or more. Received: {self.cpus}.")
        if self.gpus is not None and self.gpus != int(self.gpus) and self.gpus > 1:
            raise UserError(f"Expected --gpus as a part of one or whole. Received: {self.gpus}.")
        for name, value in (("--gpus", self.gpus), ("--memory", self.memory_gb)):
            if value is not None and value < 0:
                raise UserError(f"Expected {name} of 0 or more. Received: {value}.")
