"""What intervals of nominally 95 % hold, as `gliozoo finding coverage` measured it."""

from dataclasses import dataclass

Span = tuple[float, float]  # the worst and the best of the populations that were tried
FEWEST = 5


@dataclass(frozen=True)
class Coverage:
    """The shares of samples of so many patients in which an interval held the truth."""

    patients: int
    mean: Span
    difference: Span
    rank: Span


MEASURED: tuple[Coverage, ...] = ()


def of(patients: int) -> Coverage | None:
    """Return what was measured for as many patients, or for the next smaller number."""
    known = [one for one in MEASURED if one.patients <= patients]
    return known[-1] if known else None
