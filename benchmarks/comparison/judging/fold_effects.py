"""Folds of a cross-validation: patients of one fold share their networks, and folds their patients.

A test over patients takes their differences for independent. Those of one fold have the same two
trainings in common, and trainings of two folds most of their patients: a signed-rank test of equal
models then finds a difference in up to a third of cross-validations (docs/decisions/0020).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

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


def errors(scores: np.ndarray, first: np.ndarray, second: np.ndarray, found: Folds) -> Errors:
    """Return the errors of the first columns less the second, with an effect of the fold.

    One-way random effects: what folds add is each model's own or, if larger, that of the median
    model, which more trainings stand behind and no single model moves.
    """
    gaps = np.round(scores[:, first] - scores[:, second], 12)  # means over seeds differ in bits
    if scores.shape[1] < 3:
        return errors_of_pairs(gaps, found)
    squares, ways = _of_models(scores, found)
    between = squares[first] + squares[second]
    doubt = squares[first] ** 2 / ways[first] + squares[second] ** 2 / ways[second]
    return _errors(_all_squares(gaps, found), between, doubt)


def errors_of_pairs(gaps: np.ndarray, found: Folds) -> Errors:
    """Return the same of differences of which each has its own folds alone to tell their effect."""
    rows = _all_squares(gaps, found)
    between, _, _, groups, _ = rows
    return _errors(rows, between, between**2 / np.maximum(groups - 1, 1))


def _errors(rows: np.ndarray, between: np.ndarray, doubt: np.ndarray) -> Errors:
    """Return errors by the mean square between folds, and half of that one's variance.

    Overlapping training patients count as Nadeau and Bengio (2003) have it, as `ratio` more of that
    variance. Degrees of freedom after Satterthwaite, of a sum of mean squares: that between folds
    counts `share`, that within what is left of 1 / n.
    """
    _, within, n, groups, share = rows
    effect = np.maximum(between - within, 0.0)
    variance = share * effect + within / n
    rest = within * np.where(effect > 0, 1 / n - share, 1 / n)
    spread = np.where(effect > 0, share**2 * doubt, 0.0) + rest**2 / np.maximum(n - groups, 1)
    degrees = np.where(spread > 0, variance**2 / np.where(spread > 0, spread, 1.0), n - groups)
    return Errors(np.sqrt(variance), degrees)


def _of_models(scores: np.ndarray, found: Folds) -> tuple[np.ndarray, np.ndarray]:
    """Return each model's mean square between folds, at least the median's, and its freedom.

    Around a patient's mean over all models, what one model adds is told from what the others do
    (Grubbs 1948): that of a pair is the sum of its two. A median of mean squares that are the same
    in truth lies below them, by as much as that of chi-squared below its mean.
    """
    models, ways = scores.shape[1], found.count - 1
    seen = ~np.isnan(scores)
    beside = np.where(seen, scores, 0.0).sum(1) / np.maximum(seen.sum(1), 1)
    around = _all_squares(scores - beside[:, None], found)[0]
    total = around.sum() / (1 - 1 / models)
    own = (around - total / models**2) / (1 - 2 / models)
    middle = float(chi2.median(ways))
    floor = max(float(np.median(own)) * ways / middle, 0.0)
    # A median of n scatters by 1 / 4 n f^2 with the density f there; a mean square by 2 / ways.
    common = 8 * models * (middle * float(chi2.pdf(middle, ways))) ** 2
    return np.maximum(own, floor), np.where(own > floor, ways, max(common, ways))


def _all_squares(columns: np.ndarray, found: Folds) -> np.ndarray:
    """Return a row of each of `_squares` for all columns."""
    return np.array([_squares(column, found.of_patient, found.ratio) for column in columns.T]).T


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
