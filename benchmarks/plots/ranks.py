"""A line a model through several rankings: crossing lines are swaps."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plots import point_labels, style


def bump(axes: Axes, ranks: Mapping[str, Sequence[int]], columns: Sequence[str]) -> None:
    """Draw each model's rank in every column, its name behind the last."""
    _lines(axes, ranks)
    for model, places in ranks.items():
        axes.annotate(
            point_labels.plain(model),
            (len(columns) - 1, places[-1]),
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            annotation_clip=False,
        )
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(1, len(ranks) + 1))
    axes.set_ylim(len(ranks) + 0.5, 0.5)
    axes.set_xlim(-0.3, len(columns) - 0.7)
    axes.set_ylabel("Rank by mean Dice")
    axes.grid(axis="y", visible=False)


def values_and_ranks(
    values: Mapping[str, Sequence[float]],
    ranks: Mapping[str, Sequence[int]],
    columns: Sequence[str],
) -> Figure:
    """Draw the values above the ranks that follow from them."""
    figure = Figure(figsize=(9.0, 3.4 + 0.34 * len(ranks)), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=(2.4, 0.34 * len(ranks)))
    _lines(above, values)
    above.set_ylabel("Dice")
    above.tick_params(labelbottom=False)
    bump(below, ranks, columns)
    below.tick_params(axis="x", labelsize=7.5)
    return figure


def _lines(axes: Axes, values: Mapping[str, Sequence[float]]) -> None:
    looks = style.looks(values)
    for model, several in values.items():
        axes.plot(range(len(several)), several, **style.line(looks[model], linewidth=2))
        axes.plot(range(len(several)), several, **style.dot(looks[model], 7))
