"""What quality costs: Dice against GFLOPs."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.reading.machine_costs import Cost
from benchmarks.plots import point_labels, style

LARGEST = 560.0  # square points of the bubble of the largest model


def frontier(table: Table, costs: Mapping[str, Cost]) -> Figure | None:
    """Draw Dice with its interval against GFLOPs; a bubble's area is its parameters."""
    found = {
        model: (cost.gflops, estimate, cost.params or 0)
        for model in table.models
        if (cost := costs.get(model)) and cost.gflops
        if (estimate := table.estimates.get((model, table.regions[0], "dice")))
    }
    if not found:
        return None
    figure, axes = style.single(7.2, 4.8)
    looks = style.looks(table.models)
    scale = LARGEST / (max(params for _, _, params in found.values()) or 1)
    for model, (gflops, dice, params) in found.items():
        colour = looks[model].colour
        axes.scatter(gflops, dice.mean, s=scale * params, color=colour, alpha=0.22, lw=0)
        axes.plot([gflops] * 2, [dice.ci_lower, dice.ci_upper], color=colour, lw=1.3)
        axes.plot(gflops, dice.mean, **style.dot(looks[model], 6.5))
    axes.set_xscale("log")
    x = [gflops for gflops, _, _ in found.values()]
    y = [dice.mean for _, dice, _ in found.values()]
    axes.set_xlim(min(x) / 1.8, max(x) * 2.6)
    _front(axes, x, y)
    style.plain_ticks(axes)
    axes.set_xlabel("GFLOPs of one inference (2 × multiply-adds)")
    axes.set_ylabel("Mean Dice, 95 % interval over patients")
    _sizes(axes, scale)
    point_labels.beside(axes, list(found), x, y)
    return figure


def pareto(cost: Sequence[float], quality: Sequence[float]) -> list[int]:
    """Return the places that nothing beats in both: cheapest first, each better than before."""
    front: list[int] = []
    for place in sorted(range(len(cost)), key=lambda place: (cost[place], -quality[place])):
        if not front or quality[place] > quality[front[-1]]:
            front.append(place)
    return front


def _front(axes: Axes, x: Sequence[float], y: Sequence[float]) -> None:
    front = pareto(x, y)
    steps_x = [x[place] for place in front] + [axes.get_xlim()[1]]
    steps_y = [y[place] for place in front] + [y[front[-1]]]
    axes.plot(
        steps_x, steps_y, drawstyle="steps-post", color=style.MUTED, lw=1, ls=(0, (4, 2)), zorder=1
    )
    # Under the first step: nothing that costs as little lies there, and names stand above points.
    axes.annotate(
        "Pareto front",
        ((steps_x[0] * steps_x[1]) ** 0.5, steps_y[0]),
        xytext=(0, -4),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=7.5,
        color=style.MUTED,
        path_effects=point_labels.HALO,
    )


def _sizes(axes: Axes, scale: float) -> None:
    """Show what a bubble's area means: up to three round numbers of parameters."""
    rounds = [step * 10.0**power for power in range(3, 10) for step in (1, 2, 5)]
    shown = [size for size in rounds if size * scale <= LARGEST * 1.3][-3:]
    handles = [
        axes.scatter([], [], s=scale * size, color=style.MUTED, alpha=0.3, lw=0, label=_short(size))
        for size in shown
    ]
    if handles:
        axes.legend(
            handles=handles,
            title="Parameters",
            loc="best",
            ncols=len(handles),
            columnspacing=2.4,
            handletextpad=1.4,
            handleheight=3.4,
            borderpad=0.6,
            fontsize=8,
            title_fontsize=8,
        )


def _short(size: float) -> str:
    return f"{size / 1e6:g} M" if size >= 1e6 else f"{size / 1e3:g} k"
