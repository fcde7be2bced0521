"""The colours that the page draws in, as a browser reads them."""

from collections.abc import Iterable
from itertools import cycle

from benchmarks.predicting.region_colours import FALSE, MISSED, NESTED, TRUE, Colour

MORE: tuple[Colour, ...] = ((0.94, 0.89, 0.26), (0.84, 0.37, 0.0), (0.65, 0.55, 0.90))


def of_regions(regions: Iterable[str]) -> dict[str, str]:
    """Give each region its colour, the same as in the pictures of `predict --overlays`."""
    return dict(zip(regions, map(_web, cycle(NESTED + MORE)), strict=False))


def of_errors() -> dict[str, str]:
    """Give the colours of what was found, missed and made up."""
    return {"found": _web(TRUE), "missed": _web(MISSED), "made up": _web(FALSE)}


def _web(colour: Colour) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)
