"""How often intervals hold the truth: a line a population, the worst of each method thick."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plots import style

SHOWN = {
    "ours": (style.COLOURS[0], "-", "o"),
    "expanded BCa": (style.COLOURS[1], style.DASHES[1], "s"),
    "Student's t": (style.COLOURS[7], style.DASHES[2], "D"),
}
TITLES = {"mean": "Means", "difference": "Differences of two", "rank": "Ranks"}
NOMINAL = 0.95

Rows = Sequence[Mapping[str, Any]]


def figure(rows: Rows) -> Figure:
    """Draw a panel for means, for differences and for ranks."""
    drawn, axes = style.panels(len(TITLES), columns=3, side=2.9)
    for place, (one, (kind, title)) in enumerate(zip(axes, TITLES.items(), strict=True)):
        own = [row for row in rows if row["kind"] == kind]
        one.axhline(NOMINAL, color=style.INK, lw=0.8, zorder=1)
        for method in reversed(SHOWN):
            _method(one, [row for row in own if row["method"] == method], method, place == 0)
        numbers = sorted({row["patients"] for row in rows})
        one.set_xscale("log")
        one.set_xticks(numbers, [str(number) for number in numbers])
        one.minorticks_off()
        one.set_title(title)
        one.set_xlabel("patients")
    axes[0].set_ylabel("share of samples that hold the truth")
    axes[0].set_ylim(top=1.01)
    axes[0].legend(loc="lower right", title="worst case of")
    return drawn


def _method(axes: Axes, rows: Rows, method: str, named: bool) -> None:
    colour, dash, marker = SHOWN[method]
    for population in dict.fromkeys(row["population"] for row in rows):
        own = [row for row in rows if row["population"] == population]
        axes.plot(*_points(own), color=colour, lw=0.7, alpha=0.45, linestyle=dash)
    numbers = sorted({row["patients"] for row in rows})
    worst = [min(r["coverage"] for r in rows if r["patients"] == number) for number in numbers]
    label = method if named else None
    axes.plot(numbers, worst, color=colour, lw=2, linestyle=dash, marker=marker, label=label)


def _points(rows: Rows) -> tuple[list[int], list[float]]:
    return [row["patients"] for row in rows], [row["coverage"] for row in rows]
