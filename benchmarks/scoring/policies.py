"""From a patient's stored row to its metrics, under a named policy for empty masks.

A row holds counts, distances and what was empty, never a ratio: any policy can be applied to it
later, without a model or an image. A value that the policy leaves undefined is None and is
counted by whoever takes a mean. Where one mask is empty and the other is not, something was
missed or made up, and every overlap is 0 under either policy.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.errors import UserError

Row = Mapping[str, Any]
Values = dict[str, float | None]

OVERLAPS = ("dice", "iou", "precision", "sensitivity", "specificity", "volume_similarity")
DISTANCES = ("hd95", "hd", "assd")  # mm, lower is better
SURFACE_SHARES = ("nsd_1mm", "nsd_2mm")
LESIONS = ("lesion_dice", "lesion_hd95")
OWN = "x_"  # before the name of a metric of the user's
METRICS = (*OVERLAPS, *DISTANCES, *SURFACE_SHARES, *LESIONS, "accuracy")
LOWER_IS_BETTER = frozenset((*DISTANCES, "lesion_hd95"))
UNPUNISHED = frozenset(("specificity", "accuracy"))  # no policy has a value for a miss


@dataclass(frozen=True)
class Policy:
    """What stands in for a metric where there was nothing to find, or nothing was found."""

    name: str
    both_empty_counts: bool  # as a perfect case; otherwise it is left out, and counted
    penalty_mm: float | None  # the distance of a miss; None: the diagonal of the volume

    def perfect(self, value: float) -> float | None:
        """Return a metric's perfect value for a case in which there was nothing to find."""
        return value if self.both_empty_counts else None

    def penalty(self, row: Row) -> float:
        """Return the distance in mm that a missed or made-up structure costs."""
        return row["diagonal_mm"] if self.penalty_mm is None else self.penalty_mm


POLICIES = {
    "brats": Policy("brats", both_empty_counts=True, penalty_mm=374.0),
    "exclude": Policy("exclude", both_empty_counts=False, penalty_mm=None),
}


def find(name: str) -> Policy:
    """Return a policy by its name."""
    if name not in POLICIES:
        known = " or ".join(f"'{known}'" for known in POLICIES)
        raise UserError(f"Expected {known} as the policy for empty masks. Received: {name!r}.")
    return POLICIES[name]


def values(row: Row, policy: str) -> Values:
    """Return every metric that a row can tell; None is one that the policy leaves undefined."""
    chosen = find(policy)
    told = {**overlaps(row, chosen), **_surfaces(row, chosen), **lesions(row, chosen)}
    return {name: told[name] for name in METRICS if name in told} | own(row, policy)


def own(row: Row, policy: str) -> Values:
    """Return what metrics of the user's gave, as `x_NAME`; the row keeps it without their file."""
    return {f"{OWN}{name}": kept["values"].get(policy) for name, kept in row.get("own", {}).items()}


def ends(metric: str, reach: float) -> tuple[float, float]:
    """Return the least and the greatest value that any patient can get, NaN where none is set.

    `reach` is the distance that a miss costs.
    """
    if metric.startswith(OWN):
        return math.nan, math.nan
    if metric in LOWER_IS_BETTER:
        return 0.0, reach
    return math.nan if metric in UNPUNISHED else 0.0, 1.0


def overlaps(counts: Row, policy: Policy) -> Values:
    """Return the ratios of `tp`, `fp`, `fn` and `tn`."""
    tp, fp, fn, tn = (counts[name] for name in ("tp", "fp", "fn", "tn"))
    found = {
        "dice": (2 * tp, 2 * tp + fp + fn),
        "iou": (tp, tp + fp + fn),
        "precision": (tp, tp + fp),
        "sensitivity": (tp, tp + fn),
        "volume_similarity": (2 * tp + fp + fn - abs(fp - fn), 2 * tp + fp + fn),
    }
    if tp + fp + fn == 0:
        told: Values = dict.fromkeys(found, policy.perfect(1.0))
    else:
        told = {name: part / whole if whole else 0.0 for name, (part, whole) in found.items()}
    # Without background there is nothing that specificity could be about, whatever the policy.
    told["specificity"] = tn / (tn + fp) if tn + fp else None
    told["accuracy"] = (tp + tn) / (tp + fp + fn + tn)
    return told


def _surfaces(row: Row, policy: Policy) -> Values:
    told: Values = {}
    for name in (*DISTANCES, *SURFACE_SHARES):
        if name not in row:
            continue  # the protocol opted out of surfaces
        is_share = name in SURFACE_SHARES
        if row["status"] == "ok":
            told[name] = row[name]
        elif row["status"] == "both_empty":
            told[name] = policy.perfect(1.0 if is_share else 0.0)
        else:
            told[name] = 0.0 if is_share else policy.penalty(row)
    return told


def lesions(row: Row, policy: Policy) -> Values:
    """Average over lesions; each false positive enters with Dice 0 and the full penalty."""
    if "lesions" not in row:
        return {}
    own, penalty = row["lesions"], policy.penalty(row)
    false_positives = row["lesion_false_positives"]
    number = len(own) + false_positives
    if number == 0:
        return {"lesion_dice": policy.perfect(1.0), "lesion_hd95": policy.perfect(0.0)}
    dice = math.fsum(lesion["dice"] for lesion in own)
    told: Values = {"lesion_dice": dice / number}
    if all("hd95" in lesion for lesion in own):
        missed = false_positives + sum(lesion["hd95"] is None for lesion in own)
        found = math.fsum(lesion["hd95"] or 0.0 for lesion in own)
        told["lesion_hd95"] = (found + missed * penalty) / number
    return told
