"""The figures of one scan: the size of each region in each mask and, with a reference, scores."""

import math

import numpy as np

from benchmarks.report.html import Html, grid, join, tag
from benchmarks.scoring import metrics, policies
from benchmarks.tables import cells
from benchmarks.viewing import colours
from benchmarks.viewing.shown_scan import REFERENCE, Shown

METRICS = ("dice", "precision", "sensitivity", "hd95")
POLICY = "brats"
CAPTION = "Figures of this scan"


def figures(shown: Shown) -> Html | None:
    """Return the table, a row for each region and mask; None where there is no mask."""
    if not shown.layers:
        return None
    size = "Volume (ml)" if shown.volume.in_mm else "Voxels"
    scored = METRICS if shown.reference is not None and shown.masks else ()
    head = ["Region", "Mask", size, *(cells.label(name, shown.volume.in_mm) for name in scored)]
    rows = [
        [_region(shown, region), layer, _size(shown, mask), *_scores(shown, region, layer, scored)]
        for region, values in shown.regions.items()
        for layer, labels in shown.layers.items()
        for mask in [np.isin(labels, values)]
    ]
    return grid(head, rows, CAPTION, class_="numbers")


def _region(shown: Shown, region: str) -> Html:
    colour = colours.of_regions(shown.regions)[region]
    circle = tag("circle", cx="6", cy="6", r="5", fill=colour)
    mark = tag("svg", circle, class_="mark", viewBox="0 0 12 12", aria_hidden="true")
    return join(mark, " ", region)


def _size(shown: Shown, mask: np.ndarray) -> str:
    voxels = int(np.count_nonzero(mask))
    if not shown.volume.in_mm:
        return str(voxels)
    return cells.number(voxels * math.prod(shown.volume.spacing) / 1000, 1)


def _scores(shown: Shown, region: str, layer: str, names: tuple[str, ...]) -> list[str]:
    if layer == REFERENCE or shown.reference is None:
        return [cells.ABSENT for _ in names]
    values = shown.regions[region]
    found = metrics.measure(
        np.isin(shown.reference, values), np.isin(shown.masks[layer], values), shown.volume.spacing
    )
    scores = policies.values(found, POLICY)
    return [cells.number(scores[name], cells.decimals(name)) for name in names]
