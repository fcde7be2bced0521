"""How many epochs fit: one number for all networks, so that they stay comparable."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gpu import tasks
from benchmarks.protocols import protocol
from benchmarks.records import atomic

LEAST = 12  # epochs; a network for which no more fit waits for the next piece


@dataclass(frozen=True)
class Size:
    """The epochs that everyone gets, and who has them in the time that there is."""

    epochs: int
    models: tuple[str, ...]


def epochs(per_epoch: Mapping[str, float], seconds: float, most: int) -> Size:
    """Give as many epochs as the slowest can do in the time, all being at it together.

    One that could do less than LEAST waits, and if all could, nobody begins. The time of those that
    stay is taken as measured, although it falls when others wait or end: nobody is late for that.
    """
    fits = {name: min(most, int(seconds / one)) for name, one in per_epoch.items()}
    taken = [name for name, count in fits.items() if count >= min(LEAST, most)]
    return Size(min((fits[name] for name in taken), default=0), tuple(taken))


def written(base: str, count: int, work: Path, machine: str) -> str:
    """Write a protocol with these epochs; return its path, or the name if it is the shipped one.

    The file says from then on what everyone gets. Its path within the working folder is the one
    that it will have in the repository.
    """
    name = tasks.sized_name(base, count)
    path = Path("results", machine, tasks.PROTOCOLS, f"{name}.toml")
    lines = (f'name = "{name}"', f'base = "{base}"', "", "[train]", f"epochs = {count}", "")
    atomic.write(work / path, "\n".join(lines).encode())
    return base if protocol.shipped(base).train.epochs == count else str(path)
