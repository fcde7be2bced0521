"""What training bought: validation Dice against time, multiply-adds and parameters."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.comparison.judging.budgets import Course
from benchmarks.comparison.judging.table import Table
from benchmarks.plots import point_labels, style

STEPS = 200


def learning_cost(table: Table) -> Figure | None:
    """Draw the best validation Dice so far for each model, and the end beside its parameters."""
    found = table.budgets
    if found is None:
        return None
    figure = Figure(figsize=(10.2, 4.1), layout="constrained")
    time, work, size = figure.subplots(1, 3, sharey=True)
    looks = style.looks(table.models)
    for model in (name for name in table.models if name in found.courses):
        look, courses = looks[model], found.courses[model]
        _line(time, courses, lambda course: course.seconds / 60, look, model)
        _line(work, courses, lambda course: course.tera_macs, look)
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


def _line(
    axes: Axes,
    courses: Sequence[Course],
    cost: Callable[[Course], np.ndarray],
    look: style.Look,
    label: str = "",
) -> None:
    """Draw the mean over runs from where the last of them had ended an epoch."""
    spent = [cost(course) for course in courses]
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
