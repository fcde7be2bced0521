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


MEASURED = (
    Coverage(5, (0.939, 0.998), (0.996, 1.000), (0.948, 0.981)),
    Coverage(8, (0.935, 0.997), (0.997, 1.000), (0.959, 0.989)),
    Coverage(13, (0.953, 0.995), (0.978, 1.000), (0.958, 0.984)),
    Coverage(20, (0.956, 0.989), (0.955, 1.000), (0.940, 0.994)),
    Coverage(64, (0.947, 0.979), (0.940, 0.998), (0.976, 0.998)),
)


def of(patients: int) -> Coverage | None:
    """Return what was measured for as many patients, or for the next smaller number."""
    known = [one for one in MEASURED if one.patients <= patients]
    return known[-1] if known else None
