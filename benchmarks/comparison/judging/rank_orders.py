"""Does the order hold? The same runs ranked under each policy and each way to aggregate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau

from benchmarks.comparison.judging import statistics
from benchmarks.comparison.reading.scores import RunScores, dice
from benchmarks.scoring import policies

LEVELS = ("patient", "slice", "pooled")

Runs = Mapping[str, Sequence[RunScores]]


@dataclass(frozen=True)
class Order:
    """The models' mean Dice and rank under one policy and level; `swaps` against the main order.

    `tau` is Kendall's rank correlation with the main order: 1 where nothing moved.
    """

    policy: str
    level: str
    dice: Mapping[str, float]
    ranks: Mapping[str, int]
    swaps: tuple[tuple[str, str], ...]
    tau: float


def orders(runs: Runs, regions: Sequence[str], policy: str) -> tuple[Order, ...]:
    """Rank the models under every policy and level; the main order comes first."""
    others = [name for name in policies.POLICIES if name != policy]
    found = []
    for level in LEVELS:
        for name in (policy, *others):
            means = {model: _dice(several, regions, name, level) for model, several in runs.items()}
            found.append((name, level, means))
    main = found[0][2]
    return tuple(
        _order(name, level, means, main)
        for name, level, means in found
        if not np.isnan(list(means.values())).any()
    )


def _order(policy: str, level: str, means: Mapping[str, float], main: Mapping[str, float]) -> Order:
    names = list(means)
    ranks = statistics.ranks(np.array(list(means.values())))
    moved = [
        (a, b)
        for place, a in enumerate(names)
        for b in names[place + 1 :]
        if (main[a] - main[b]) * (means[a] - means[b]) < 0
    ]
    return Order(
        policy=policy,
        level=level,
        dice=means,
        ranks=dict(zip(names, map(int, ranks), strict=True)),
        swaps=tuple(moved),
        tau=_tau([main[name] for name in names], list(means.values())),
    )


def _tau(main: Sequence[float], other: Sequence[float]) -> float:
    if len(set(main)) < 2 or len(set(other)) < 2:
        return 1.0
    return round(float(kendalltau(main, other).statistic), 12)


def _dice(runs: Sequence[RunScores], regions: Sequence[str], policy: str, level: str) -> float:
    """Return the mean over regions; the seeds of a fold first, then all its patients alike."""
    found = [_of_region(runs, region, policy, level) for region in regions]
    return float(np.nanmean(found)) if not np.isnan(found).all() else float("nan")


def _of_region(runs: Sequence[RunScores], region: str, policy: str, level: str) -> float:
    total = np.zeros(2)  # the sum and the number of what is averaged
    voxels = np.zeros(3)
    for run in runs:
        if region not in run.regions:
            continue
        column = run.regions.index(region)
        voxels += run.voxels[column]
        if level == "slice":
            dice_sum, drawn, number = run.slices[column]
            empty = number - drawn if policies.find(policy).both_empty_counts else 0
            total += dice_sum + empty, drawn + empty
        else:
            total += run.dice[policy][column]
    if level == "pooled":
        return float(dice(voxels, policy))
    return float(total[0] / total[1]) if total[1] else float("nan")
