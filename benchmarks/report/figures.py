"""Figures inside the page: their ink follows the theme, their text is text."""

import re

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.table import Table
from benchmarks.plots import draw, style
from benchmarks.report.html import Html, tag

LARGEST = 1.5  # pixels for a point; a small figure in a wide page keeps its letters small
_THEME = {
    style.INK: "var(--ink)",
    style.MUTED: "var(--muted)",
    style.RULE: "var(--rule)",
    style.PAPER: "var(--paper)",
}


def figures(comparison: Comparison, table: Table, place: int) -> Html:
    """Return every figure that the table has data for."""
    with style.settings():
        shown = [_figure(plot, place) for plot in draw.of_table(comparison, table)]
    return tag("div", *shown, class_="figures")


def _figure(plot: draw.Plot, place: int) -> Html:
    identity = f"figure-{place}-{plot.name}"
    svg = inline(draw.svg(plot, text="none").decode(), identity, plot.title)
    caption = tag("figcaption", tag("strong", plot.title), " ", plot.text)
    # A narrow page scrolls the drawing sideways, so a keyboard must reach it.
    box = tag("div", svg, class_="plot", tabindex="0", role="group", aria_label=plot.title)
    return tag("figure", box, caption, class_=plot.name)


def inline(svg: str, identity: str, title: str) -> Html:
    """Return matplotlib's SVG as an element of a page: no prolog, own ids, the page's colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg, flags=re.S)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{identity}-\1"', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\1{identity}-", svg)
    for colour, variable in _THEME.items():
        svg = svg.replace(colour, variable)
    label = tag("title", title)
    width = float(re.search(r'\bwidth="([0-9.]+)pt"', svg)[1])  # type: ignore[index]
    svg = re.sub(r'\s(width|height)="[^"]*pt"', "", svg, count=2)
    head, rest = svg.split(">", 1)
    size = f'style="max-width:{width * LARGEST:.0f}px"'
    return Html(f'{head} {size} role="img" aria-label="{_plain(title)}">{label}{rest}')


def _plain(title: str) -> str:
    return re.sub(r'[<>&"]', "", title)
