"""Names beside their points, moved apart where they would lie on each other."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from benchmarks.plots import style
from benchmarks.tables.cells import printable

HEIGHT = 11.5  # points between two lines of text
GAP = 9.0  # points between a marker and its name
RISE = 3.0  # points that a name stands above its marker, so that lines do not strike it through
HALO = [withStroke(linewidth=2.5, foreground=style.PAPER)]


def plain(name: str, longest: int = 28) -> str:
    """Return a name that matplotlib prints as it is: no mathematics, no line breaks."""
    text = printable(name)
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text.replace("$", r"\$")


def beside(axes: Axes, names: Sequence[str], x: Sequence[float], y: Sequence[float]) -> None:
    """Write each name to the right of its point, with a thin line where it had to move."""
    figure = axes.get_figure(root=True)
    if figure is None or not names:
        return
    figure.draw_without_rendering()  # fixes the scales that the points are measured in
    points = axes.transData.transform(np.column_stack([x, y])) * 72 / figure.dpi
    edges = axes.get_window_extent()
    widths = [5.4 * len(name) for name in names]
    left = _sides(points, widths, edges.x0 * 72 / figure.dpi, edges.x1 * 72 / figure.dpi)
    heights = _apart(points, widths, left)
    for name, point, height, is_left, at_x, at_y in zip(
        names, points, heights, left, x, y, strict=True
    ):
        moved = height - point[1]
        axes.annotate(
            plain(name),
            (at_x, at_y),
            xytext=(-GAP if is_left else GAP, moved),
            textcoords="offset points",
            ha="right" if is_left else "left",
            va="center",
            fontsize=8,
            path_effects=HALO,
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": style.MUTED}
            if abs(moved - RISE) > 4
            else None,
        )


def _sides(points: np.ndarray, widths: Sequence[float], first: float, last: float) -> list[bool]:
    """Say which names go to the left: where the right has no room, or another point in the way."""
    sides = []
    for place, ((x, y), width) in enumerate(zip(points, widths, strict=True)):
        others = np.delete(points, place, axis=0)
        level = others[np.abs(others[:, 1] - y) < HEIGHT, 0]
        right_taken = ((level > x) & (level < x + GAP + width)).any()
        left_taken = ((level < x) & (level > x - GAP - width)).any()
        fits_right, fits_left = x + GAP + width < last, x - GAP - width > first
        sides.append(fits_left and (not fits_right or (right_taken and not left_taken)))
    return sides


def _apart(
    points: np.ndarray, widths: Sequence[float], left: Sequence[bool], steps: int = 200
) -> np.ndarray:
    """Push overlapping names up and down, a little at a time."""
    heights = points[:, 1] + RISE
    starts = np.where(left, points[:, 0] - GAP - widths, points[:, 0] + GAP)
    ends = starts + widths
    for _ in range(steps):
        moved = False
        for i in range(len(points)):
            for j in range(i):
                if starts[i] > ends[j] or starts[j] > ends[i]:
                    continue
                overlap = HEIGHT - abs(heights[i] - heights[j])
                if overlap > 0.1:
                    direction = 1 if heights[i] >= heights[j] else -1
                    heights[i] += direction * overlap / 2
                    heights[j] -= direction * overlap / 2
                    moved = True
        if not moved:
            break
    return heights
