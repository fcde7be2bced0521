"""What is left where channels are missing: a row a subset, a panel a region."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.plots import style

Rows = Sequence[Mapping[str, Any]]
SHORT = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "FLAIR"}


def figure(rows: Rows, trainings: Sequence[str]) -> Figure:
    """Draw for each subset the Dice of both trainings: hollow the first, filled the second."""
    regions = _unique(rows, "region")
    subsets = [name.split() for name in _unique(rows, "sequences")]
    channels = max(subsets, key=len)
    drawn = Figure(figsize=(9.6, 1.4 + 0.3 * len(subsets)), layout="constrained")
    widths = [0.22 * len(channels), *[1.0] * len(regions)]
    there, *panels = drawn.subplots(1, 1 + len(regions), sharey=True, width_ratios=widths)
    _presence(there, subsets, channels)
    for axes, region in zip(panels, regions, strict=True):
        _region(axes, [row for row in rows if row["region"] == region], trainings)
        axes.set_title(region)
    panels[len(panels) // 2].set_xlabel("mean Dice of the test patients")
    there.set_ylim(len(subsets) - 0.4, -0.6)
    drawn.legend(
        handles=_legend(_unique(rows, "model"), trainings),
        loc="outside lower center",
        ncols=3 + len(trainings),
        fontsize=8,
    )
    return drawn


def _presence(axes: Axes, subsets: Sequence[Sequence[str]], channels: Sequence[str]) -> None:
    """Draw a dot for each channel that is there."""
    for place, subset in enumerate(subsets):
        for column, name in enumerate(channels):
            face = style.INK if name in subset else style.PAPER
            axes.plot(column, place, "o", ms=6, mfc=face, mec=style.MUTED, mew=0.8)
    axes.set_xticks(range(len(channels)), [SHORT.get(name, name) for name in channels], rotation=60)
    axes.xaxis.tick_top()
    axes.set_xlim(-0.6, len(channels) - 0.4)
    axes.set_yticks([])
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0)


def _region(axes: Axes, rows: Rows, trainings: Sequence[str]) -> None:
    places = {name: place for place, name in enumerate(_unique(rows, "sequences"))}
    models = _unique(rows, "model")
    looks = style.looks(models)
    for row in rows:
        look = looks[row["model"]]
        place = places[row["sequences"]] + 0.22 * (
            models.index(row["model"]) - len(models) / 2 + 0.5
        )
        ends = [row[training] for training in trainings]
        axes.plot(ends, [place] * len(ends), color=look.colour, lw=1, alpha=0.6, zorder=2)
        for value, face in zip(ends, (style.PAPER, look.colour), strict=True):
            axes.plot(value, place, marker=look.marker, ms=4.6, mfc=face, mec=look.colour, mew=1.1)
    axes.set_xlim(-0.02, 1.02)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    for place in range(0, len(places), 2):
        axes.axhspan(place - 0.5, place + 0.5, color=style.RULE, alpha=0.25, lw=0, zorder=0)


def _legend(models: Sequence[str], trainings: Sequence[str]) -> list[Line2D]:
    looks = style.looks(models)
    handles = [
        Line2D([], [], color=looks[name].colour, marker=looks[name].marker, label=name, lw=1)
        for name in models
    ]
    for training, face in zip(trainings, (style.PAPER, style.MUTED), strict=True):
        handles.append(Line2D([], [], ls="", marker="o", mfc=face, mec=style.MUTED, label=training))
    return handles


def _unique(rows: Rows, name: str) -> list[str]:
    return list(dict.fromkeys(row[name] for row in rows))
