"""How near the machine's roof each model runs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.comparison.reading.machine_costs import Cost, Setting
from benchmarks.plots import point_labels, style

SHARES = (0.5, 0.25, 0.1)  # of the roof, drawn as rules


def roofline(setting: Setting | None, costs: Mapping[str, Cost]) -> Figure | None:
    """Draw the GFLOP/s that each model reaches against its arithmetic intensity."""
    found = {
        model: (cost.arithmetic_intensity, cost.achieved_gflops)
        for model, cost in costs.items()
        if cost.arithmetic_intensity and cost.achieved_gflops
    }
    peaks = [cost.peak_gflops_measured for cost in costs.values() if cost.peak_gflops_measured]
    if setting is None or not found or not peaks:
        return None
    figure, axes = style.single(7.2, 4.4)
    looks = style.looks(costs)
    peak = float(np.median(peaks))
    x, y = ([point[axis] for point in found.values()] for axis in (0, 1))
    _roof(axes, peak, setting.precision)
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


def _roof(axes: Axes, peak: float, precision: str) -> None:
    text = f"measured roof: {peak:,.0f} GFLOP/s ({precision} matrix product)"
    axes.axhline(peak, color=style.INK, lw=1.6)
    _name(axes, text, (0.01, peak), xytext=(0, 4), fontsize=8)
    for share in SHARES:
        at = peak * share
        axes.axhline(at, color=style.RULE, lw=0.8, zorder=0)
        look = {"ha": "right", "fontsize": 7, "color": style.MUTED}
        _name(axes, f"{share:.0%}", (1.0, at), xytext=(-2, 2), **look)


def _name(axes: Axes, text: str, place: tuple[float, float], **look: Any) -> None:
    """Write at a share of the width and a value of the ordinate."""
    axes.annotate(
        text, place, xycoords=("axes fraction", "data"), textcoords="offset points", **look
    )
