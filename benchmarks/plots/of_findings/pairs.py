"""Two values side by side, row by row: a dumbbell with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from benchmarks.plots import style

COLOURS = (style.MUTED, style.COLOURS[1])


@dataclass(frozen=True)
class Point:
    """A value with its interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Pair:
    """A row: its name, both points, and what stands at its end."""

    name: str
    first: Point
    second: Point
    note: str


def point(row: Mapping, name: str) -> Point:
    """Read a point of a row that has `name`, `name lower` and `name upper`."""
    return Point(row[name], row[f"{name} lower"], row[f"{name} upper"])


def dumbbells(pairs: Sequence[Pair], names: tuple[str, str], label: str) -> Figure:
    """Draw a row a pair, the first value above the second."""
    figure, axes = style.single(7.0, 1.2 + 0.62 * len(pairs))
    for place, pair in enumerate(pairs):
        ends = (pair.first, pair.second)
        axes.plot([one.value for one in ends], [place] * 2, color=style.RULE, lw=5, zorder=1)
        for one, colour, marker, shift, name in zip(
            ends, COLOURS, "os", (-0.13, 0.13), names, strict=True
        ):
            axes.plot([one.lower, one.upper], [place + shift] * 2, color=colour, lw=1.4)
            axes.plot(
                one.value,
                place + shift,
                marker,
                color=colour,
                markersize=7,
                label=name if place == 0 else None,
            )
        axes.annotate(
            pair.note,
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )
    axes.set_yticks(range(len(pairs)), [pair.name for pair in pairs])
    axes.set_ylim(len(pairs) - 0.45, -0.55)
    axes.set_xlabel(label)
    axes.grid(axis="y", visible=False)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
    return figure
