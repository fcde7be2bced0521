"""How good, patient by patient: distributions, precision and sensitivity, tumour volume."""

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.judging.table import Table
from benchmarks.plots import point_labels, style


def patients(table: Table) -> Figure:
    """Draw each model's patients as points, the middle half as a box, the mean with interval."""
    figure, axes = style.single(7.0, 0.9 + 0.5 * len(table.models))
    looks = style.looks(table.models)
    shake = np.random.default_rng(0).uniform(0.12, 0.36, len(table.patients))
    for place, model in enumerate(table.models):
        look, found = looks[model], table.estimates.get((model, table.regions[0], "dice"))
        if found is None:
            continue
        axes.plot(
            table.dice(model),
            place + shake,
            **style.dot(look, 3.4, alpha=0.6, markeredgewidth=0),
        )
        axes.plot(
            [found.q1, found.q3],
            [place - 0.1] * 2,
            color=style.INK,
            lw=8,
            alpha=0.16,
            solid_capstyle="butt",
        )
        axes.plot([found.median] * 2, [place - 0.24, place + 0.04], color=style.INK, lw=1.6)
        axes.plot([found.ci_lower, found.ci_upper], [place - 0.1] * 2, color=style.INK, lw=1.2)
        axes.plot(found.mean, place - 0.1, **style.dot(look, 7.5, markeredgecolor=style.INK))
    axes.set_yticks(range(len(table.models)), [point_labels.plain(name) for name in table.models])
    axes.set_ylim(len(table.models) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(
        "Dice of each patient; marker and line: mean with 95 % interval; box: middle half"
    )
    axes.grid(axis="y", visible=False)
    return figure


def precision_sensitivity(table: Table) -> Figure | None:
    """Draw who draws too much and who too little, over lines of equal Dice."""
    known = {
        model: (x, y)
        for model in table.models
        if (x := table.estimates.get((model, table.regions[0], "sensitivity")))
        if (y := table.estimates.get((model, table.regions[0], "precision")))
    }
    if not known:
        return None
    figure, axes = style.single(6.2, 5.4)
    low = _floor([min(x.ci_lower, y.ci_lower, x.mean, y.mean) for x, y in known.values()])
    _iso_dice(axes, low)
    for model, (x, y) in known.items():
        look = style.looks(table.models)[model]
        axes.plot([x.ci_lower, x.ci_upper], [y.mean] * 2, color=look.colour, lw=1, alpha=0.8)
        axes.plot([x.mean] * 2, [y.ci_lower, y.ci_upper], color=look.colour, lw=1, alpha=0.8)
        axes.plot(x.mean, y.mean, **style.dot(look, 8))
    axes.set(xlim=(low, 1), ylim=(low, 1), xlabel="Sensitivity", ylabel="Precision")
    axes.set_aspect("equal")
    axes.grid(visible=False)
    means = [(x.mean, y.mean) for x, y in known.values()]
    point_labels.beside(axes, list(known), [x for x, _ in means], [y for _, y in means])
    return figure


def _floor(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return max(0.0, np.floor((min(known) - 0.03) * 20) / 20) if known else 0.0


def _iso_dice(axes, low: float) -> None:
    """Draw where 2 p s / (p + s) is constant."""
    sensitivity = np.linspace(max(low, 1e-3), 1, 300)
    for dice in np.arange(0.1, 1.0, 0.05 if low >= 0.5 else 0.1):
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = dice * sensitivity / (2 * sensitivity - dice)
        shown = (precision > low) & (precision <= 1)
        if not shown.any():
            continue
        at = np.flatnonzero(shown)[0]
        axes.plot(sensitivity[shown], precision[shown], color=style.RULE, lw=0.9, zorder=0)
        if precision[at] < low + 0.02:
            continue  # a corner has no room for a number
        axes.annotate(
            f"{dice:.2f}",
            (sensitivity[at], min(precision[at], 1)),
            xytext=(2, -9),
            textcoords="offset points",
            fontsize=7,
            color=style.MUTED,
        )


def volume(table: Table) -> Figure | None:
    """Draw Dice against the tumour's volume: a panel a model, the others' trends in grey."""
    millilitres = volumes(table)
    known = np.isfinite(millilitres) & (millilitres > 0)
    if known.sum() < 2:
        return None
    trends = {model: _trend(millilitres[known], table.dice(model)[known]) for model in table.models}
    figure, axes = style.panels(len(table.models))
    looks = style.looks(table.models)
    for panel, model in zip(axes, table.models, strict=True):
        for other, (x, y) in trends.items():
            if other != model:
                panel.plot(x, y, color=style.RULE, lw=1, zorder=1)
        panel.plot(
            millilitres[known],
            table.dice(model)[known],
            **style.dot(looks[model], 3, alpha=0.55, markeredgewidth=0),
        )
        panel.plot(*trends[model], color=looks[model].colour, lw=2)
        panel.set_title(point_labels.plain(model, 22), fontsize=8.5)
        panel.set_xscale("log")
        style.plain_ticks(panel, dense=1.2)
        panel.set_ylim(-0.03, 1.03)
    figure.supxlabel(
        f"Tumour volume ({table.volume_unit}); line: median of patients of like volume", fontsize=9
    )
    figure.supylabel("Dice", fontsize=9)
    return figure


def volumes(table: Table) -> np.ndarray:
    """Return the reference volume of each patient's largest region in ml; NaN is unknown."""
    found: dict[str, float] = {}
    for model in table.models:
        for run in table.runs(model):
            for patient, millilitres in zip(run.patients, run.millilitres, strict=True):
                found.setdefault(patient, float(millilitres))
    return np.array([found.get(name, np.nan) for name in table.patients])


def _trend(x: np.ndarray, y: np.ndarray) -> tuple[list[float], list[float]]:
    """Return the median score in up to six bins of equally many patients."""
    order = np.argsort(x)
    bins = np.array_split(order, max(1, min(6, len(x) // 4)))
    return (
        [float(np.median(x[part])) for part in bins],
        [float(np.nanmedian(y[part])) if np.isfinite(y[part]).any() else np.nan for part in bins],
    )
