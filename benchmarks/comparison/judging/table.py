"""One table: the models of a group, scored on the same patients, ranked with their uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.comparison.judging import fold_effects, statistics
from benchmarks.comparison.judging.challenge_ranks import ChallengeRanks, challenge_ranks
from benchmarks.comparison.judging.contrasts import Contrast, contrast
from benchmarks.comparison.judging.empties import Empties, empties
from benchmarks.comparison.judging.estimates import Estimate, Standing, estimates, standings
from benchmarks.comparison.judging.fold_effects import Folds, Tested
from benchmarks.comparison.judging.rank_orders import Order, orders
from benchmarks.comparison.judging.seed_scatter import Scatter, scatter
from benchmarks.comparison.reading.budgets import Budgets, budgets
from benchmarks.comparison.reading.groups import Group, Terms
from benchmarks.comparison.reading.scores import DICE, METRICS, RunScores

_BRATS = {name: place for place, name in enumerate(("WT", "TC", "ET", "NCR", "ED"))}
MEAN = "mean"  # of the regions, patient by patient; background is never one


@dataclass(frozen=True)
class Table:
    """Everything that may be said of a group; `models` and every mapping go from best to worst.

    `scores` is (patients, models, regions, columns), averaged over seeds; patients are the unit.
    `columns` are METRICS, then the user's own.
    """

    group: Group
    policy: str
    patients: tuple[str, ...]
    models: tuple[str, ...]
    regions: tuple[str, ...]
    scores: np.ndarray
    standings: Mapping[str, Standing]
    scatter: Scatter
    estimates: Mapping[tuple[str, str, str], Estimate]
    contrasts: Mapping[tuple[str, str], Contrast]
    orders: tuple[Order, ...]
    empties: Mapping[tuple[str, str], Empties]
    columns: tuple[str, ...] = METRICS
    challenge: ChallengeRanks | None = None  # where there are several regions
    budgets: Budgets | None = None  # where records tell of trainings

    @property
    def terms(self) -> Terms:
        """Return what the rows share."""
        return self.group.terms

    @property
    def metrics(self) -> tuple[str, ...]:
        """Return the metrics that any row has."""
        known = ~np.isnan(self.scores).all(axis=(0, 1, 2))
        return tuple(name for name, any_known in zip(self.columns, known, strict=True) if any_known)

    @property
    def own(self) -> tuple[str, ...]:
        """Return the user's own metrics, `x_NAME`, that any row has: nothing is ranked by them."""
        return tuple(name for name in self.metrics if name not in METRICS)

    @property
    def in_mm(self) -> bool:
        """Say whether distances are in mm; without a voxel size in the files they count voxels."""
        return all(run.in_mm for runs in self.group.runs.values() for run in runs)

    @property
    def volume_unit(self) -> str:
        """Name the unit of `volumes`: cubes of 1 mm count as thousands where no size is known."""
        return "ml" if self.in_mm else "thousand voxels"

    def dice(self, model: str) -> np.ndarray:
        """Return a model's Dice of each patient."""
        return self.scores[:, self.models.index(model), 0, DICE]

    def runs(self, model: str) -> tuple[RunScores, ...]:
        """Return the runs behind a row."""
        return self.group.runs[model]

    def commands(self, model: str) -> list[str]:
        """Return what repeats each run behind a row."""
        return [run.record.command for run in self.runs(model) if run.record.command]

    def against(self, model: str, other: str) -> Contrast | None:
        """Return how a model differs from another, None where they were not compared."""
        return self.contrasts.get((model, other))


def tabulate(group: Group, policy: str, baseline: str) -> Table:
    """Average seeds, rank by mean Dice, and say how sure each statement is."""
    patients = _union(run.patients for runs in group.runs.values() for run in runs)
    regions = _in_order(_union(run.regions for runs in group.runs.values() for run in runs))
    names = list(group.runs)
    metrics = _union(run.columns for runs in group.runs.values() for run in runs)
    means = [_over_seeds(group.runs[name], patients, regions, metrics) for name in names]
    scores = _with_mean(np.stack(means, axis=1))
    order = _order(scores[:, :, 0, DICE], names)
    models, scores = tuple(names[place] for place in order), scores[:, order]
    shown = (MEAN, *regions) if len(regions) > 1 else regions
    dice = scores[:, :, 0, DICE]
    standing = standings(group.runs, models, dice)
    scattered = scatter(standing)
    return Table(
        group=group,
        policy=policy,
        patients=patients,
        models=models,
        regions=shown,
        scores=scores,
        standings=standing,
        scatter=scattered,
        estimates=estimates(models, shown, metrics, scores, _reach(group)),
        contrasts=contrast(dice, models, baseline, scattered, _folds(group, patients)),
        orders=orders({name: group.runs[name] for name in models}, regions, policy),
        empties=empties(group.runs, shown, MEAN, policy),
        columns=metrics,
        challenge=challenge_ranks(scores[:, :, 1:], models, metrics) if shown[0] == MEAN else None,
        budgets=budgets({name: group.runs[name] for name in models}),
    )


def _folds(group: Group, patients: Sequence[str]) -> Folds | None:
    tested = (
        Tested(run.split, run.patients, run.record.data.get("n_train"))
        for runs in group.runs.values()
        for run in runs
    )
    return fold_effects.folds(tested, patients)


def _reach(group: Group) -> float:
    """Return the greatest distance that a miss costs in any run."""
    return float(np.fmax.reduce([run.reach for runs in group.runs.values() for run in runs]))


def _union(names) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for several in names for name in several))


def _in_order(regions: Sequence[str]) -> tuple[str, ...]:
    """Put regions in the order in which BraTS names them; records sort theirs by letter."""
    return tuple(sorted(regions, key=lambda name: (_BRATS.get(name, 9), name)))


def _over_seeds(
    runs: Sequence[RunScores],
    patients: Sequence[str],
    regions: Sequence[str],
    metrics: Sequence[str],
) -> np.ndarray:
    """Average a patient's scores over the runs that scored them: seeds are not patients."""
    shape = (len(patients), len(regions), len(metrics))
    total, count = np.zeros(shape), np.zeros(shape)
    row = {name: place for place, name in enumerate(patients)}
    column = {name: place for place, name in enumerate(regions)}
    for run in runs:
        if not run.patients:
            continue
        places = [metrics.index(name) for name in run.columns]
        where = np.ix_([row[p] for p in run.patients], [column[r] for r in run.regions], places)
        total[where] += np.nan_to_num(run.values)
        count[where] += ~np.isnan(run.values)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _with_mean(scores: np.ndarray) -> np.ndarray:
    """Put the mean over regions first, where there are several."""
    if scores.shape[2] == 1:
        return scores
    known = (~np.isnan(scores)).sum(axis=2, keepdims=True)
    total = np.nansum(scores, axis=2, keepdims=True)
    return np.concatenate(
        [np.where(known > 0, total / np.maximum(known, 1), np.nan), scores], axis=2
    )


def _order(dice: np.ndarray, names: Sequence[str]) -> list[int]:
    place = statistics.ranks(statistics.means(dice))
    return sorted(range(len(names)), key=lambda column: (place[column], names[column]))
