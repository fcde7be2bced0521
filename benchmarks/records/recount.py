"""Every mean of a record again, from the counts of its patients: what `gliozoo verify` compares."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.scoring.tally import Tally, filled, ratios

Means = dict[str, dict[str, float | int | None]]


def summary(tally: Tally, policy: str) -> dict[str, Any]:
    """Return what `aggregate.summary` returns of the same patients, to the last digits but one."""
    values = tally.values[policy]
    pooled = filled(ratios(tally.counts.sum(axis=0)), policy)
    per_slice = filled(tally.slice_ratios, policy)
    told: dict[str, dict[str, Means]] = {}
    for region, mine in tally.by_region():
        names = tally.known(region)
        told[tally.regions[region]] = {
            "patient": _means({n: values[:, region, tally.columns.index(n)] for n in names}),
            "slice": _means({name: ratio[mine] for name, ratio in per_slice.items()}),
            "pooled": _pooled({n: float(r[region]) for n, r in pooled.items()}, len(values)),
        }
    if len(tally.regions) > 1:
        told["mean"] = _over_regions(list(told.values()))
    return told


def _means(columns: dict[str, np.ndarray]) -> Means:
    stacked = np.array(list(columns.values()))
    known = ~np.isnan(stacked)
    used, total = known.sum(axis=1), stacked.shape[1]
    sums = np.where(known, stacked, 0).sum(axis=1)
    return {
        name: _mean(float(sums[place]), int(used[place]), total)
        for place, name in enumerate(columns)
    }


def _mean(total: float, used: int, of: int) -> dict[str, float | int | None]:
    return {"mean": total / used if used else None, "n_used": used, "n_total": of}


def _pooled(columns: dict[str, float], of: int) -> Means:
    known = {name: not math.isnan(ratio) for name, ratio in columns.items()}
    return {
        name: {
            "mean": ratio if known[name] else None,
            "n_used": of if known[name] else 0,
            "n_total": of,
        }
        for name, ratio in columns.items()
    }


def _over_regions(regions: Sequence[Mapping[str, Means]]) -> dict[str, Means]:
    """Return the mean of the regions' means; `n` counts patients times regions."""
    return {
        level: {name: _over([one[level][name] for one in regions]) for name in means}
        for level, means in regions[0].items()
    }


def _over(means: Sequence[Mapping[str, Any]]) -> dict[str, float | int | None]:
    defined = [one["mean"] for one in means if one["mean"] is not None]
    counts = {name: sum(one[name] for one in means) for name in ("n_used", "n_total")}
    return {"mean": sum(defined) / len(defined) if defined else None, **counts}
