"""Patients with their masks: a row a model, for each role image, reference and prediction."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from benchmarks.plots import point_labels

PANELS = ("image", "reference", "prediction")


def figure(cases: Sequence[Any], roles: Sequence[str]) -> Figure:
    """Draw cases that have `model`, `role`, `patient`, `dice` and `planes`."""
    models = list(dict.fromkeys(one.model for one in cases))
    drawn = Figure(figsize=(10.2, 0.7 + 2.3 * len(models)), layout="constrained")
    axes = drawn.subplots(len(models), len(PANELS) * len(roles), squeeze=False)
    for one in cases:
        row = axes[models.index(one.model)]
        start = len(PANELS) * roles.index(one.role)
        for panel, plane, name in zip(row[start:], one.planes, PANELS, strict=False):
            panel.imshow(plane, interpolation="antialiased")
            if one.model == models[0]:
                panel.set_title(name, fontsize=8, loc="center")
        dice = "  ".join(f"{region} {value:.2f}" for region, value in one.dice.items())
        told = f"{one.role}: {one.patient}\nDice {dice}".replace("$", r"\$")
        row[start + 1].set_xlabel(told, fontsize=8)
    for row, model in zip(axes, models, strict=True):
        row[0].set_ylabel(point_labels.plain(model), fontsize=8)
        for panel in row:
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            panel.grid(visible=False)
    drawn.legend(
        handles=[Patch(color=colour, label=name) for name, colour in cases[0].colours.items()],
        loc="outside upper center",
        ncols=len(cases[0].colours),
        fontsize=8,
    )
    return drawn
