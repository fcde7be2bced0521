"""How the training went, what it cost, and whether the probabilities are worth their name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.reading.budgets import Course
from benchmarks.plots import point_labels, style

STEPS = 200


def curves(table: Table) -> Figure | None:
    """Draw validation Dice and training loss by epoch: the mean over runs, and their range."""
    shown = [
        model for model in table.models if any(run.record.history for run in table.runs(model))
    ]
    if not shown:
        return None
    figure = Figure(figsize=(8.4, 3.9), layout="constrained")
    dice, loss = figure.subplots(1, 2)
    looks = style.looks(table.models)
    for model in shown:
        histories = [run.record.history for run in table.runs(model) if run.record.history]
        _band(dice, histories, "val_dice", looks[model], label=point_labels.plain(model, 24))
        _band(loss, histories, "loss", looks[model])
    dice.set(xlabel="Epoch", ylabel="Validation Dice", ylim=(0, 1))
    loss.set(xlabel="Epoch", ylabel="Training loss")
    for panel in (dice, loss):
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, names = dice.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8, handlelength=2.8)
    return figure


def _band(
    axes: Axes, histories: Sequence[list], key: str, look: style.Look, label: str | None = None
) -> None:
    longest = max(map(len, histories))
    values = np.full((len(histories), longest), np.nan)
    for row, history in zip(values, histories, strict=True):
        row[: len(history)] = [_number(entry.get(key)) for entry in history]
    known = np.isfinite(values).any(axis=0)
    if not known.any():
        return
    epochs, values = np.arange(1, longest + 1)[known], values[:, known]
    if len(histories) > 1:
        axes.fill_between(
            epochs, np.nanmin(values, 0), np.nanmax(values, 0), color=look.colour, alpha=0.14, lw=0
        )
    axes.plot(
        epochs,
        np.nanmean(values, axis=0),
        **style.line(look),
        label=label,
        marker=look.marker,
        markersize=4,
        markerfacecolor=look.face,
        markevery=max(1, len(epochs) // 6),
    )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def cost(table: Table) -> Figure | None:
    """Draw the best validation Dice so far for each model, and the end beside its parameters."""
    found = table.budgets
    if found is None:
        return None
    figure = Figure(figsize=(10.2, 4.1), layout="constrained")
    time, work, size = figure.subplots(1, 3, sharey=True)
    looks = style.looks(table.models)
    for model in (name for name in table.models if name in found.courses):
        look, courses = looks[model], found.courses[model]
        _course(time, courses, lambda course: course.seconds / 60, look, model)
        _course(work, courses, lambda course: course.tera_macs, look)
        if params := _params(table, model):
            end = np.mean([course.best[-1] for course in courses])
            size.plot(params / 1e6, end, **style.dot(look, 7))
    best = max(course.best[-1] for courses in found.courses.values() for course in courses)
    time.set(xlabel="Minutes of training steps", ylabel="Best validation Dice so far")
    time.set_ylim(0, min(1, 1.2 * best + 0.02))
    work.set(xlabel="Multiply-adds of training (TMACs)")
    size.set(xlabel="Parameters (millions)")
    for axes in (time, work, size):
        axes.set_xscale("log")
        style.plain_ticks(axes)
    handles, names = time.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8, handlelength=2.8)
    return figure


def _course(
    axes: Axes,
    courses: Sequence[Course],
    spend: Callable[[Course], np.ndarray],
    look: style.Look,
    label: str = "",
) -> None:
    """Draw the mean over runs from where the last of them had ended an epoch."""
    spent = [spend(course) for course in courses]
    if not all(np.isfinite(one).all() and (one > 0).all() for one in spent):
        return
    first, last = max(one[0] for one in spent), min(one[-1] for one in spent)
    places = np.geomspace(first, max(first, last), STEPS)
    best = [
        course.best[np.searchsorted(one, places * (1 + 1e-9), side="right") - 1]
        for course, one in zip(courses, spent, strict=True)
    ]
    axes.plot(
        places,
        np.mean(best, axis=0),
        **style.line(look),
        label=point_labels.plain(label, 24) if label else None,
        marker=look.marker,
        markersize=4,
        markerfacecolor=look.face,
        markevery=[STEPS - 1],
    )


def _params(table: Table, model: str) -> float | None:
    return table.runs(model)[0].record.cost.get("params")


def calibration(table: Table) -> Figure | None:
    """Draw how often foreground was right about what was said to be so sure; a panel a model."""
    found = {model: _reliability(table, model) for model in table.models}
    shown = {model: bins for model, bins in found.items() if bins is not None}
    if not shown:
        return None
    figure, axes = style.panels(len(shown))
    looks = style.looks(table.models)
    for panel, (model, (confidence, frequency, ece)) in zip(axes, shown.items(), strict=True):
        panel.plot([0, 1], [0, 1], color=style.MUTED, lw=0.9, ls=(0, (3, 2)))
        panel.fill_between(confidence, confidence, frequency, color=looks[model].colour, alpha=0.15)
        panel.plot(
            confidence,
            frequency,
            color=looks[model].colour,
            lw=1.6,
            marker=looks[model].marker,
            markersize=3.6,
            markerfacecolor=looks[model].face,
        )
        panel.set_title(point_labels.plain(model, 22), fontsize=8.5)
        if np.isfinite(ece):
            panel.text(0.04, 0.9, f"ECE {ece:.4f}", transform=panel.transAxes, fontsize=8)
        panel.set(
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
        )
        panel.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
        panel.set_yticks([0, 0.5, 1], ["0", ".5", "1"])
    figure.supxlabel("Probability that the model gave", fontsize=9)
    figure.supylabel("Share that was tumour", fontsize=9)
    return figure


def _reliability(table: Table, model: str) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Add up the bins of all runs and regions of a model."""
    sums: dict[int, np.ndarray] = {}
    errors = []
    for run in table.runs(model):
        for of_region in run.record.calibration.values():
            if not isinstance(of_region, Mapping):
                continue
            errors.append(_number(of_region.get("ece")))
            for place, point in enumerate(of_region.get("bins") or ()):
                count = _number(point.get("count"))
                pair = np.array([_number(point.get("confidence")), _number(point.get("frequency"))])
                if count > 0 and np.isfinite(pair).all():
                    sums.setdefault(place, np.zeros(3))
                    sums[place] += [count, *(count * pair)]
    if not sums:
        return None
    points = np.array([sums[place] for place in sorted(sums)])
    known = [error for error in errors if np.isfinite(error)]
    ece = float(np.mean(known)) if known else np.nan
    return points[:, 1] / points[:, 0], points[:, 2] / points[:, 0], ece
