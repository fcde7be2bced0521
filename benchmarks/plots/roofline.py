"""How near the machine's roof each model runs."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.reading.machine_costs import Cost, Setting
from benchmarks.plots import point_labels, style


def roofline(setting: Setting, costs: Mapping[str, Cost]) -> Figure | None:
    """Draw the GFLOP/s that each model reaches against its arithmetic intensity."""
    found = {
        model: (cost.arithmetic_intensity, cost.achieved_gflops)
        for model, cost in costs.items()
        if cost.arithmetic_intensity and cost.achieved_gflops
    }
    peaks = [cost.peak_gflops_measured for cost in costs.values() if cost.peak_gflops_measured]
    if not found or not peaks:
        return None
    figure, axes = style.single(7.2, 4.4)
    looks = style.looks(costs)
    peak = float(np.median(peaks))
    x, y = ([point[axis] for point in found.values()] for axis in (0, 1))
    axes.axhline(peak, color=style.INK, lw=1.6)
    axes.annotate(
        f"measured roof: {peak:,.0f} GFLOP/s ({setting.precision} matrix product)",
        (0.01, peak),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        fontsize=8,
    )
    for share in (0.5, 0.25, 0.1):
        axes.axhline(peak * share, color=style.RULE, lw=0.8, zorder=0)
        axes.annotate(
            f"{share:.0%}",
            (1.0, peak * share),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            fontsize=7,
            color=style.MUTED,
        )
    for model, point in found.items():
        axes.plot(*point, **style.dot(looks[model], 8))
    axes.set(xscale="log", yscale="log", ylim=(min(*y, peak * 0.09) * 0.8, peak * 1.6))
    axes.set_xlim(min(x) / 1.5, max(x) * 2.2)
    axes.grid(visible=False)
    axes.set_xlabel("Arithmetic intensity (FLOP per byte)")
    axes.set_ylabel("Achieved GFLOP/s")
    style.plain_ticks(axes)
    point_labels.beside(axes, list(found), x, y)
    return figure
