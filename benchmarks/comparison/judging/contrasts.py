"""Two models on the same patients: the difference, its interval, its test, its size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from benchmarks.comparison.judging import differences, fold_effects, statistics
from benchmarks.comparison.judging.fold_effects import Folds
from benchmarks.comparison.judging.seed_scatter import Scatter
from benchmarks.comparison.judging.wording import ALPHA, Evidence

MANY = 40  # models; beyond it only the leader and the baseline are tested against all


@dataclass(frozen=True)
class Contrast:
    """How `first` differs from `second` in the mean over shared patients; positive is better."""

    first: str
    second: str
    difference: float
    lower: float
    upper: float
    p: float  # Wilcoxon's, over patients
    p_folds: float  # Student's with an effect of the fold; NaN without cross-validation
    p_seeds: float  # that other seeds make as much of a difference; NaN where that is unknown
    p_holm: float  # the largest of these, adjusted
    effect: float
    n: int
    detectable: float  # the difference that would have been found in 80 % of such samples

    @property
    def distinguishable(self) -> bool:
        """Say whether the interval leaves out zero and the adjusted tests agree."""
        return Evidence(self.p_holm, self.lower, self.upper, self.n).distinguishable

    @property
    def sign(self) -> str:
        """Return the verdict in one character: `+` better, `-` worse, `~` cannot be told."""
        if not self.distinguishable:
            return "~"
        return "+" if self.difference > 0 else "-"

    def reversed(self) -> "Contrast":
        """Look at the same pair from the other side."""
        return replace(
            self,
            first=self.second,
            second=self.first,
            difference=-self.difference,
            lower=-self.upper,
            upper=-self.lower,
            effect=-self.effect,
        )


Contrasts = Mapping[tuple[str, str], Contrast]


def contrast(
    scores: np.ndarray,
    models: Sequence[str],
    baseline: str,
    scatter: Scatter | None = None,
    folds: Folds | None = None,
) -> dict:
    """Compare the columns of `scores`, best first, pair by pair; Holm over the whole table.

    A difference has to be larger than other patients and, where that is known, other folds and
    other seeds make it.
    """
    pairs = _pairs(models, baseline)
    if not pairs:
        return {}
    place = {name: column for column, name in enumerate(models)}
    first, second = (np.array([place[pair[side]] for pair in pairs]) for side in (0, 1))
    # Means over seeds differ in the last bits where the scores are the same.
    gaps = np.round(scores[:, first] - scores[:, second], 12)
    found = differences.paired(scores, first, second)
    p = np.array([statistics.paired_p(gap) for gap in gaps.T])
    errors = (
        fold_effects.errors(scores, first, second, folds) if folds else differences.errors(gaps)
    )
    of_folds = errors.p(found.mean) if folds else np.full(len(pairs), np.nan)
    seeds = np.full(len(pairs), np.nan)
    detectable = errors.detectable(ALPHA / len(pairs))
    if scatter:
        gained = zip(pairs, found.mean, strict=True)
        seeds = np.array([scatter.p(*pair, difference) for pair, difference in gained])
        by_seeds = [scatter.detectable(*pair, ALPHA / len(pairs)) for pair in pairs]
        detectable = np.fmax(detectable, by_seeds)
    adjusted = statistics.holm(np.fmax(np.fmax(p, of_folds), seeds))
    contrasts = {}
    for column, (one, other) in enumerate(pairs):
        contrasts[one, other] = Contrast(
            first=one,
            second=other,
            difference=float(found.mean[column]),
            lower=float(found.lower[column]),
            upper=float(found.upper[column]),
            p=float(p[column]),
            p_folds=float(of_folds[column]),
            p_seeds=float(seeds[column]),
            p_holm=float(adjusted[column]),
            effect=statistics.rank_biserial(gaps[:, column]),
            n=int((~np.isnan(gaps[:, column])).sum()),
            detectable=float(detectable[column]),
        )
    return contrasts | {(b, a): pair.reversed() for (a, b), pair in contrasts.items()}


def _pairs(models: Sequence[str], baseline: str) -> list[tuple[str, str]]:
    pairs = combinations(models, 2)
    if len(models) <= MANY:
        return list(pairs)
    return [pair for pair in pairs if models[0] in pair or baseline in pair]
