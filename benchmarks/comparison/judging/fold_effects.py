"""Folds of a cross-validation: patients of one fold share their networks, and folds their patients.

A test over patients takes their differences for independent. Those of one fold have the same two
trainings in common, and trainings of two folds most of their patients: a signed-rank test of equal
models then finds a difference in up to a third of cross-validations (docs/decisions/0020).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.comparison.judging.differences import Errors


@dataclass(frozen=True)
class Folds:
    """Who was tested together, as a number a patient, and test over training patients."""

    of_patient: np.ndarray
    ratio: float

    @property
    def count(self) -> int:
        """Return how many folds there are."""
        return len(np.unique(self.of_patient))


@dataclass(frozen=True)
class Tested:
    """One run, as far as folds go: its split, who was tested, how many it was trained on."""

    split: str
    patients: Collection[str]
    trained: int | None


def folds(runs: Iterable[Tested], patients: Sequence[str]) -> Folds | None:
    """Return the folds that patients were tested in; None for one, or if some are in several."""
    tested: dict[str, frozenset[str]] = {}
    ratios = []
    for run in runs:
        tested[run.split] = tested.get(run.split, frozenset()) | frozenset(run.patients)
        ratios.append(len(run.patients) / run.trained if run.trained else np.nan)
    if len(tested) < 2 or sum(map(len, tested.values())) != len(patients):
        return None
    place = {patient: number for number, one in enumerate(tested.values()) for patient in one}
    known = [ratio for ratio in ratios if ratio == ratio]
    ratio = float(np.mean(known)) if known else 1 / (len(tested) - 1)
    return Folds(np.array([place[patient] for patient in patients]), ratio)


def errors(gaps: np.ndarray, found: Folds, models: int) -> Errors:
    """Return the errors of differences with an effect of the fold, for all pairs of `models`.

    One-way random effects: what folds add is a pair's own or, if larger, the mean over pairs, which
    more trainings stand behind. Overlapping training patients count as Nadeau and Bengio (2003)
    have it, as `ratio` more of that variance. Degrees of freedom after Satterthwaite.
    """
    between, within, n, groups, share = np.array(
        [_squares(column, found.of_patient, found.ratio) for column in gaps.T]
    ).T
    own, pooled = between - within, float(np.mean(between - within))
    shared = own < pooled
    effect = np.maximum(np.where(shared, pooled, own), 0.0)
    base = share * np.where(shared, float(np.mean(between)), between)
    ways = np.maximum(groups - 1, 1) * np.where(shared, max(models - 1, 1), 1)
    variance = share * effect + within / n
    # As a sum of mean squares: between counts `share`, within what is left of 1 / n.
    rest = within * np.where(effect > 0, 1 / n - share, 1 / n)
    spread = np.where(effect > 0, base**2 / ways, 0.0) + rest**2 / np.maximum(n - groups, 1)
    degrees = np.where(spread > 0, variance**2 / np.where(spread > 0, spread, 1.0), n - groups)
    return Errors(np.sqrt(variance), degrees)


def _squares(gaps: np.ndarray, of_patient: np.ndarray, ratio: float) -> tuple[float, ...]:
    """Return mean squares between and within folds, patients, folds, and what scales the former.

    Where a policy leaves too few patients for folds to be told from them, all count as within.
    """
    known = ~np.isnan(gaps)
    values, place = gaps[known], np.unique(of_patient[known], return_inverse=True)[1]
    sizes, n = np.bincount(place), len(values)
    if len(sizes) < 2 or n <= len(sizes):
        within = float(np.var(values, ddof=1)) if n > 1 else 0.0
        return 0.0, within, max(n, 2), 1.0, 0.0
    inner = np.bincount(place, values) / sizes
    between = (sizes * (inner - values.mean()) ** 2).sum() / (len(sizes) - 1)
    within = ((values - inner[place]) ** 2).sum() / (n - len(sizes))
    squares = (sizes**2).sum() / n
    seen = (n - squares) / (len(sizes) - 1)  # patients that an effect of a fold is seen through
    return between, within, n, len(sizes), (squares / n + ratio) / seen
