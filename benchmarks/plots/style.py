"""How every figure looks: one colour, marker and dash for a model, everywhere.

Colours follow Okabe and Ito (2008), darkened or lightened until each is visible on white and on a
dark page; markers and dashes tell the models apart in black and white.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

import zoo

INK = "#1d2530"
MUTED = "#5f6b7a"
RULE = "#d5dbe3"
PAPER = "#fefefe"

COLOURS = (
    "#2b7cc0",
    "#d55e00",
    "#009e73",
    "#cc6fa0",
    "#dd9400",
    "#8e6bbf",
    "#45a8dc",
    "#a0693c",
    "#7d8793",
    "#8f9a1f",
)
MARKERS = "osD^vPX<>h"
# Each has a colour of its own; those that came after share theirs, with other markers.
FIRST = (
    "unet",
    "res_attention_unet",
    "sa_unet",
    "mod_r2au",
    "ar2_unet",
    "attention_unet",
    "resnet50_unet",
    "deeplabv3plus",
    "nnunet",
    "unet3d",
)
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (3, 1.2, 1.2, 1.2, 1.2, 1.2)),
)

_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "legend.frameon": False,
    "svg.hashsalt": "gliozoo",
    "mathtext.default": "regular",
}


@dataclass(frozen=True)
class Look:
    """A model's colour, marker and dash; the marker of a variant is hollow."""

    colour: str
    marker: str
    dash: Any
    hollow: bool

    @property
    def face(self) -> str:
        """Return the colour that fills the marker."""
        return PAPER if self.hollow else self.colour


def settings() -> Any:
    """Return the context in which figures are drawn and saved."""
    return mpl.rc_context(_SETTINGS)


def looks(models: Iterable[str]) -> dict[str, Look]:
    """Give each model its look: the zoo's by their place in the zoo, others after them."""
    models = list(models)
    known = [*FIRST, *(name for name in zoo.names() if name not in FIRST)]
    strangers = sorted({_base(model) for model in models} - set(known))
    place = {name: number for number, name in enumerate([*known, *strangers])}
    return {model: _look(place[_base(model)], model != _base(model)) for model in models}


def _base(model: str) -> str:
    """Return the model of a row without its variant and what was done to it."""
    return model.split(":")[0].removesuffix(" recalibrated")


def _look(place: int, hollow: bool) -> Look:
    return Look(
        colour=COLOURS[place % len(COLOURS)],
        marker=MARKERS[(place + place // len(COLOURS)) % len(MARKERS)],
        dash=DASHES[place % len(DASHES)],
        hollow=hollow,
    )


def single(width: float = 7.0, height: float = 4.4) -> tuple[Figure, Axes]:
    """Return a figure with one panel."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def panels(count: int, *, columns: int = 4, side: float = 1.9) -> tuple[Figure, list[Axes]]:
    """Return a figure of equal panels that share both axes."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(max(4.0, columns * side), rows * side + 0.4), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes = list(grid.flat)
    for spare in axes[count:]:
        spare.set_visible(False)
    return figure, axes[:count]


def plain_ticks(axes: Axes, dense: float = 3.0) -> None:
    """Write plain numbers on logarithmic axes, powers of ten alone beyond `dense` decades."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if axis.get_scale() != "log":
            continue
        decades = math.log10(limits[1] / limits[0])
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < dense else (1,), numticks=12))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def line(look: Look, **more: Any) -> dict[str, Any]:
    """Return the keywords of a model's line."""
    return {"color": look.colour, "linestyle": look.dash, "linewidth": 1.6, **more}


def dot(look: Look, size: float = 6, **more: Any) -> dict[str, Any]:
    """Return the keywords of a model's single marker."""
    return {
        "marker": look.marker,
        "markersize": size,
        "markerfacecolor": look.face,
        "markeredgecolor": look.colour,
        "markeredgewidth": 1.2,
        "linestyle": "none",
        "zorder": 4,
        **more,
    }
