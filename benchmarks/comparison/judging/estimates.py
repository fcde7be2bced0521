"""How good, how sure, which place: the estimates and standings of a table's models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.comparison.judging import intervals, statistics
from benchmarks.comparison.reading.scores import DICE, RunScores
from benchmarks.scoring import policies


@dataclass(frozen=True)
class Estimate:
    """A mean over patients with its interval, and the middle half of the patients."""

    mean: float
    ci_lower: float
    ci_upper: float
    median: float
    q1: float
    q3: float
    n_used: int
    n_total: int


@dataclass(frozen=True)
class Standing:
    """A model's place by mean Dice, and how far other patients might have moved it."""

    rank: int
    rank_lower: int
    rank_upper: int
    seeds: tuple[int, ...]
    folds: tuple[int, ...]
    seed_spread: float  # standard deviation of the mean Dice over seeds; NaN with one
    seed_freedom: int  # trainings beyond the first of each fold


def standings(
    runs: Mapping[str, Sequence[RunScores]], models: Sequence[str], dice: np.ndarray
) -> dict[str, Standing]:
    """Rank the columns of `dice`, and bootstrap each rank."""
    rank = statistics.ranks(statistics.means(dice))
    lower, upper = statistics.rank_intervals(dice)
    spread = {name: _seed_spread(runs[name]) for name in models}
    return {
        name: Standing(
            rank=int(rank[column]),
            rank_lower=int(lower[column]),
            rank_upper=int(upper[column]),
            seeds=_numbers(runs[name], "seed"),
            folds=_numbers(runs[name], "fold"),
            seed_spread=spread[name][0],
            seed_freedom=spread[name][1],
        )
        for column, name in enumerate(models)
    }


def _numbers(runs: Sequence[RunScores], key: str) -> tuple[int, ...]:
    return tuple(sorted({run.record.run[key] for run in runs}))


def _seed_spread(runs: Sequence[RunScores]) -> tuple[float, int]:
    """Return how the mean Dice over all folds scatters with the seed, and on how many it stands.

    A training is one of a fold and a seed, so the scatter is taken fold by fold: two seeds of five
    folds are five pairs of trainings, and not one pair of means.
    """
    by_fold: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    for run in runs:
        dice = run.values[:, :, DICE].ravel()
        by_fold.setdefault(run.split, []).append(float(statistics.means(dice[:, None])[0]))
        sizes[run.split] = len(dice)
    several = [np.array(means) for means in by_fold.values() if len(means) > 1]
    freedom = sum(len(means) - 1 for means in several)
    if not freedom:
        return float("nan"), 0
    squares = sum(float(((means - means.mean()) ** 2).sum()) for means in several)
    weights = np.array([*sizes.values()]) / sum(sizes.values())
    return float(np.sqrt(squares / freedom * (weights**2).sum())), freedom


def estimates(
    models: Sequence[str],
    regions: Sequence[str],
    metrics: Sequence[str],
    scores: np.ndarray,
    reach: float,
) -> dict[tuple[str, str, str], Estimate]:
    """Estimate the mean of each model, region and metric that has any score.

    `reach` is the distance that a miss costs.
    """
    flat = scores.reshape(len(scores), -1)
    known = (~np.isnan(flat)).sum(axis=0)
    used = np.flatnonzero(known)
    ends = np.tile([policies.ends(name, reach) for name in metrics], (scores[0, ..., 0].size, 1))
    found = intervals.intervals(flat[:, used], ends[used].T)
    quartiles = np.nanquantile(flat[:, used], [0.25, 0.5, 0.75], axis=0)
    told = {}
    for entry, column in enumerate(used):
        model, region, metric = map(int, np.unravel_index(column, scores.shape[1:]))
        told[models[model], regions[region], metrics[metric]] = Estimate(
            mean=float(found.mean[entry]),
            ci_lower=float(found.lower[entry]),
            ci_upper=float(found.upper[entry]),
            q1=float(quartiles[0, entry]),
            median=float(quartiles[1, entry]),
            q3=float(quartiles[2, entry]),
            n_used=int(known[column]),
            n_total=len(scores),
        )
    return told
