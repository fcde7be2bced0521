"""All figures of a comparison, and their files: SVG for paper and page, PNG for the rest."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.reading.machine_costs import Cost, Setting
from benchmarks.plots import (
    frontier,
    qualitative,
    quality,
    roofline,
    style,
    training_curves,
    verdicts,
)
from benchmarks.records import atomic


@dataclass(frozen=True)
class Plot:
    """A figure with its file name, its title and what it shows, for those who cannot see it."""

    name: str
    title: str
    text: str
    figure: Figure


@dataclass(frozen=True)
class Shown:
    """What a table can show: its scores, and its models' costs, where a setting has them."""

    table: Table
    setting: Setting | None
    costs: Mapping[str, Cost]


@dataclass(frozen=True)
class Kind:
    """A kind of plot; `draw` answers None where its data are lacking."""

    name: str
    title: str
    text: str
    draw: Callable[[Shown], Figure | None]


KINDS = (
    Kind(
        "frontier",
        "Dice against GFLOPs",
        "Up and to the left is better. Bars are 95 % intervals over patients, the area of a bubble "
        "is the number of parameters, and nothing beats the models on the dashed line in both "
        "quality and cost.",
        lambda shown: frontier.frontier(shown.table, shown.costs),
    ),
    Kind(
        "patients",
        "Every patient",
        "One point a patient, averaged over seeds. The box spans the middle half, its line is the "
        "median; the large marker is the mean with its 95 % interval.",
        lambda shown: quality.patients(shown.table),
    ),
    Kind(
        "significance",
        "Who differs from whom",
        "A number stands where two models can be told apart: the interval of their difference "
        "leaves out zero, and the tests over patients (Wilcoxon) and seeds (t), adjusted by Holm, "
        "agree.",
        lambda shown: verdicts.significance(shown.table),
    ),
    Kind(
        "precision_sensitivity",
        "Precision against sensitivity",
        "Right is finding more of the tumour, up is drawing less that is none; along a grey line "
        "Dice is constant.",
        lambda shown: quality.precision_sensitivity(shown.table),
    ),
    Kind(
        "volume",
        "Dice against tumour volume",
        "Small tumours are hard. Grey lines repeat the trends of the other models.",
        lambda shown: quality.volume(shown.table),
    ),
    Kind(
        "orders",
        "Does the order hold?",
        "The rank of each model if means are taken over patients, over slices, or over all voxels "
        "together, under both policies for empty masks. Crossing lines are models that swap "
        "places.",
        lambda shown: verdicts.orders(shown.table),
    ),
    Kind(
        "training",
        "Training",
        "The mean over runs; the band spans all of them.",
        lambda shown: training_curves.curves(shown.table),
    ),
    Kind(
        "learning_cost",
        "What training bought",
        "The best validation Dice so far against minutes of training steps on one machine and "
        "against multiply-adds, the mean over runs; on the right what it came to, beside the "
        "parameters.",
        lambda shown: training_curves.cost(shown.table),
    ),
    Kind(
        "calibration",
        "Calibration",
        "On the diagonal, probabilities are worth their name; below it a model is too sure. ECE is "
        "the expected calibration error over all voxels.",
        lambda shown: training_curves.calibration(shown.table),
    ),
    Kind(
        "roofline",
        "How near the roof",
        "Achieved speed against arithmetic intensity on {setting}. The roof is the fastest matrix "
        "product measured in the same process.",
        lambda shown: roofline.roofline(shown.setting, shown.costs),
    ),
    Kind(
        "qualitative",
        "The same patients across models",
        "Image, reference, prediction and error of the same patients across models.",
        lambda shown: qualitative.grid(shown.table),
    ),
)
ON_PAGE = KINDS[:-1]  # which shows the pictures of the last one on their own


def of_table(
    comparison: Comparison, table: Table, kinds: Sequence[Kind] = ON_PAGE
) -> Iterator[Plot]:
    """Draw what a table can show; a figure without data is left out."""
    setting = comparison.setting(table)
    known = ((model, comparison.cost(model, setting)) for model in table.models)
    shown = Shown(table, setting, {model: cost for model, cost in known if cost})
    for kind in kinds:
        figure = kind.draw(shown)
        if figure is not None:
            yield Plot(kind.name, kind.title, kind.text.format(setting=setting), figure)


def save(comparison: Comparison, folder: Path) -> list[Path]:
    """Write every figure of every table as SVG and PNG."""
    written = []
    with style.settings():
        for place, table in enumerate(comparison.tables, 1):
            for plot in of_table(comparison, table, KINDS):
                stem = folder / (plot.name if place == 1 else f"table{place}-{plot.name}")
                for suffix, content in (("svg", svg(plot, text="path")), ("png", png(plot))):
                    written.append(stem.with_suffix(f".{suffix}"))
                    atomic.write_out(written[-1], content)
    return written


def svg(plot: Plot, *, text: str) -> bytes:
    """Return a figure as SVG; `text` is `path` for files, `none` where the page has its fonts."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": text}):
        plot.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "GlioZoo"})
    return buffer.getvalue()


def png(plot: Plot, dpi: int = 200) -> bytes:
    """Return a figure as PNG."""
    buffer = io.BytesIO()
    plot.figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
