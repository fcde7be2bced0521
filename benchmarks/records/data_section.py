"""The data section of a record: which data, which split, what is scored."""

from collections.abc import Mapping, Sequence
from typing import Any

from data_pipeline.splitting.split import SETS, Split

Regions = Mapping[str, Sequence[int]]


def facts(
    identity: Mapping[str, str],
    split: Split,
    *,
    layout: str,
    channels: Sequence[str],
    classes: int,
    regions: Regions,
    counts: Mapping[str, int],
    **further: Any,
) -> dict[str, Any]:
    """Return it; `counts` are the patients of each set."""
    # The units of a leaky split are thousands of slices; its digest stands for them.
    members = None if split.leaky else {name: list(getattr(split, name)) for name in SETS}
    return {
        **identity,
        "layout": layout,
        "leaky": split.leaky,
        "classes": classes,
        "channels": list(channels),
        "regions": {name: list(values) for name, values in regions.items()},
        **{f"n_{name}": counts[name] for name in SETS},
        "split": members,
        **further,
    }
