"""The same masks, counted in several ways: a panel a model, and what an empty mask would get."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plots import style


def figure(
    rows: Sequence[Mapping[str, Any]], ways: Sequence[str], names: tuple[str, str, str]
) -> Figure:
    """Draw what each model measured, what finding nothing gets, and what is claimed: `names`."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    looks = style.looks(models)
    drawn = Figure(figsize=(9.0, 0.9 + 1.75 * len(models)), layout="constrained")
    panels = drawn.subplots(len(models), 1, sharex=True, squeeze=False)[:, 0]
    for axes, model in zip(panels, models, strict=True):
        own = [row for row in rows if row["model"] == model]
        _panel(axes, own, names, looks[model].colour)
        axes.set_title(model, loc="left", fontsize=9)
    panels[-1].set_xticks(range(len(ways)), ways, fontsize=8)
    drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return drawn


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]], names, colour: str) -> None:
    seen, nothing, claimed = names
    for place, row in enumerate(rows):
        axes.bar(place, row[seen], 0.56, color=colour, label=seen if not place else None)
        axes.plot(
            [place - 0.38, place + 0.38],
            [row[nothing]] * 2,
            color=style.INK,
            lw=1.6,
            label=nothing if not place else None,
        )
        axes.plot(
            place,
            row[claimed],
            ls="",
            marker="D",
            ms=7,
            mfc=style.PAPER,
            mec=style.INK,
            mew=1.3,
            label=claimed if not place else None,
        )
        axes.annotate(
            f"{row[seen]:.2f}"[1:] if row[seen] < 1 else "1",
            (place, 0.02),
            ha="center",
            fontsize=8,
            color=style.PAPER,
        )
    axes.set_ylim(0, 1.06)
    axes.grid(axis="x", visible=False)
