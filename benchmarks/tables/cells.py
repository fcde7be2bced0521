"""Numbers as people read them, and names that are harmless wherever they are printed."""

import math
import re
import unicodedata

from benchmarks.comparison.judging.contrasts import Contrast
from benchmarks.comparison.judging.empties import Empties
from benchmarks.comparison.judging.estimates import Estimate, Standing

ABSENT = "–"
DECIMALS = {"hd95": 1, "hd": 1, "assd": 2, "lesion_hd95": 1}

LABELS = {
    "dice": "Dice",
    "iou": "IoU",
    "precision": "Precision",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "volume_similarity": "Volume similarity",
    "hd95": "HD95 (mm)",
    "hd": "HD (mm)",
    "assd": "ASSD (mm)",
    "nsd_1mm": "NSD 1 mm",
    "nsd_2mm": "NSD 2 mm",
    "lesion_dice": "Lesion Dice",
    "lesion_hd95": "Lesion HD95 (mm)",
    "accuracy": "Accuracy",
}


def label(metric: str, in_mm: bool) -> str:
    """Name a metric; distances count voxels where the files state no voxel size."""
    told = LABELS.get(metric, metric)  # one of the user's own is its own label
    return told if in_mm or metric not in LABELS else told.replace("mm", "voxels")


def number(value: float | None, decimals: int = 3) -> str:
    """Print a number, or a dash where there is none."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:.{decimals}f}"


def short(value: float | None) -> str:
    """Print a cost with three significant digits."""
    if value is None or not math.isfinite(value):
        return ABSENT
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def decimals(metric: str) -> int:
    """Return how many decimals a metric is printed with."""
    return DECIMALS.get(metric, 3)


def interval(lower: float, upper: float, places: int = 3) -> str:
    """Print the bounds of an interval."""
    return f"[{number(lower, places)}, {number(upper, places)}]"


def estimate(value: Estimate | None, metric: str) -> str:
    """Print a mean with its interval, and how many patients it leaves out."""
    if value is None:
        return ABSENT
    places = decimals(metric)
    text = number(value.mean, places)
    if math.isfinite(value.ci_lower):
        text += f" {interval(value.ci_lower, value.ci_upper, places)}"
    return text if value.n_used == value.n_total else f"{text} ({value.n_used}/{value.n_total})"


def empty(found: Empties) -> str:
    """Print how many values of a mean had nothing to find, and what they make of it."""
    of = f" (Dice {number(found.part)})" if found.part else ""
    return f"{found.number}/{found.values}{of}"


def rank(standing: Standing) -> str:
    """Print a rank, with its interval where other patients might have changed it."""
    if standing.rank_lower == standing.rank_upper == standing.rank:
        return str(standing.rank)
    return f"{standing.rank} [{standing.rank_lower}–{standing.rank_upper}]"


def signed(value: float, places: int = 3) -> str:
    """Print a difference with its sign, the minus a true one."""
    return number(value, places) if not math.isfinite(value) else _minus(f"{value:+.{places}f}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def difference(contrast: Contrast | None) -> str:
    """Print a difference with its interval; `~` where it cannot be told from nothing."""
    if contrast is None:
        return ABSENT
    bounds = f"[{signed(contrast.lower)}, {signed(contrast.upper)}]"
    text = f"{signed(contrast.difference)} {bounds}"
    return text if contrast.distinguishable else f"~ {text}"


def p_value(p: float) -> str:
    """Print a p value; below .001 the digits say nothing."""
    if not math.isfinite(p):
        return ABSENT
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def visible(value: object) -> str:
    """Return a text without control characters and those that change its direction."""
    return "".join(
        " " if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") else char
        for char in str(value)
    )


def printable(name: object) -> str:
    """Return a name on one line."""
    return re.sub(r"\s+", " ", visible(name)).strip()


def for_markdown(name: object) -> str:
    """Return a name that is text in Markdown and in the HTML made from it."""
    text = printable(name).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*\[\]|~$])", r"\\\1", text)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
