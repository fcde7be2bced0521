"""Who differs from whom, and does the order hold."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure

from benchmarks.comparison.judging.contrasts import MANY
from benchmarks.comparison.judging.table import Table
from benchmarks.plots import point_labels, ranks, style

# Blue for better, orange for worse: apart for every common colour blindness, and text says which.
DIVERGING = LinearSegmentedColormap.from_list("gain", ["#d98b45", "#f6f6f4", "#5b9bd0"])


def significance(table: Table) -> Figure | None:
    """Draw each pair's difference in Dice; `~` and no colour where it cannot be told from noise."""
    size = len(table.models)
    if not 2 <= size <= MANY:
        return None
    gaps = np.full((size, size), np.nan)
    for i, row in enumerate(table.models):
        for j, column in enumerate(table.models):
            pair = table.against(row, column)
            if pair:
                gaps[i, j] = pair.difference if pair.distinguishable else np.nan
    limit = max(0.01, float(np.abs(np.nan_to_num(gaps)).max()))
    figure, axes = style.single(max(4.6, 2.2 + 0.62 * size), 1.4 + 0.46 * size)
    axes.pcolormesh(
        gaps, cmap=DIVERGING, norm=TwoSlopeNorm(0, -limit, limit), edgecolors=style.PAPER, lw=1.5
    )
    for i, row in enumerate(table.models):
        for j, column in enumerate(table.models):
            _cell(axes, table, (i, j), (row, column))
    names = [point_labels.plain(name, 20) for name in table.models]
    ticks = np.arange(size) + 0.5
    axes.set_xticks(ticks, names, rotation=35, ha="left", rotation_mode="anchor")
    axes.set_yticks(ticks, names)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.hlines(range(size + 1), 0, size, color=style.RULE, lw=0.6, zorder=0)
    axes.vlines(range(size + 1), 0, size, color=style.RULE, lw=0.6, zorder=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("Dice of the row − Dice of the column; ~ not distinguishable", labelpad=8)
    return figure


def _cell(axes, table: Table, place: tuple[int, int], pair: tuple[str, str]) -> None:
    found = table.against(*pair)
    if found is None:
        return
    sure = found.distinguishable
    axes.text(
        place[1] + 0.5,
        place[0] + 0.5,
        f"{found.difference:+.3f}".replace("-", "−").replace("0.", ".") if sure else "~",
        ha="center",
        va="center",
        fontsize=7.5 if sure else 9,
        color="#12181f" if sure else style.MUTED,
        gid="on-colour" if sure else None,
    )


def orders(table: Table) -> Figure | None:
    """Draw each model's rank under each policy and level; crossing lines are swaps."""
    if len(table.models) < 2 or len(table.orders) < 2:
        return None
    figure, axes = style.single(7.0, 1.1 + 0.42 * len(table.models))
    ranks.bump(
        axes,
        {model: [order.ranks[model] for order in table.orders] for model in table.models},
        [f"{order.level}\n{order.policy}" for order in table.orders],
    )
    return figure
