"""How sure a sentence may be: its words follow from the test, the interval and the seeds.

Decision 0014: a test over patients takes the trainings that were made for the model. With one of
each, nothing may be said of another training, however small p is.
"""

import math
from dataclasses import dataclass

ALPHA = 0.05
LEVEL = "cannot be told apart"


@dataclass(frozen=True)
class Evidence:
    """What a difference of first less second rests on.

    `p` is adjusted for all that were tested with it, NaN where nothing was; `seeds` and `folds` are
    1 unless a test over several of them is part of `p`.
    """

    p: float
    lower: float
    upper: float
    patients: int
    seeds: int = 1
    tests: int = 1
    folds: int = 1

    @property
    def spans_zero(self) -> bool:
        """Say whether the interval leaves it open which side is ahead, or there is none."""
        return not (self.lower > 0 or self.upper < 0)

    @property
    def distinguishable(self) -> bool:
        """Say whether the interval leaves out zero and the adjusted test agrees."""
        return not self.spans_zero and self.p < ALPHA


def verdict(found: Evidence) -> str:
    """Return how the first stands to the second, no surer than the evidence."""
    if math.isnan(found.p):
        return LEVEL if found.spans_zero else "apart by their intervals, not tested"
    if too_few(found.patients, found.tests):
        return f"{LEVEL}: {found.patients} patients are too few for any test"
    if not found.distinguishable:
        return LEVEL
    return f"{'higher' if found.lower > 0 else 'lower'} {scope(found.seeds, found.folds)}"


def scope(seeds: int, folds: int = 1) -> str:
    """Return for what a difference holds that its tests did not explain away."""
    if folds > 1:
        trained = f"{seeds} seeds" if seeds > 1 else "one seed each"
        return f"beyond the scatter of patients and of {folds} folds, with {trained}"
    if seeds > 1:
        return f"beyond the scatter of patients and of {seeds} seeds"
    return "on these patients, for one training each; another training is unknown"


def too_few(patients: int, tests: int) -> bool:
    """Say whether equal signs on all patients would still leave a signed-rank test open."""
    return tests * 2.0 ** (1 - patients) >= ALPHA
