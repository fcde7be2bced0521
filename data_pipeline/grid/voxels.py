"""The sides of a voxel in mm: which are believed, how they are written, what they ask."""

from collections.abc import Sequence
from typing import Any

NEAR = 0.1  # of a voxel's side: a volume that differs by less is taken as it is
AS_IT_IS = (1.0, 1.0, 1.0)
SMALLEST, LARGEST = 0.01, 100.0  # mm of a side


def are_sizes(given: Any) -> bool:
    """Tell whether these are the three sides of a voxel, in mm."""
    sides = given if isinstance(given, tuple | list) else ()
    return len(sides) == 3 and all(
        type(side) in (int, float) and SMALLEST <= side <= LARGEST for side in sides
    )


def text(sides: Sequence[float]) -> str:
    """Write sides as they are read: `5 x 0.94 x 0.94`."""
    return " x ".join(f"{side:.3g}" for side in sides)


def ratio(own: Sequence[float], wanted: Sequence[float] | None) -> tuple[float, ...]:
    """Return what voxels of these sides are resampled by; `AS_IT_IS` where they are near enough."""
    if wanted is None or all(abs(a - b) < NEAR * b for a, b in zip(own, wanted, strict=True)):
        return AS_IT_IS
    return tuple(a / b for a, b in zip(own, wanted, strict=True))
