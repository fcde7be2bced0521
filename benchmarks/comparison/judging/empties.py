"""How much of a mean Dice is nobody's merit: values where neither mask holds the region."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.comparison.reading.scores import RunScores
from benchmarks.scoring import policies


@dataclass(frozen=True)
class Empties:
    """Of a model's `values` of Dice (runs x patients x regions), those with both masks empty.

    `part` is what they make of the mean, 0 where the policy leaves them out.
    """

    number: int
    values: int
    part: float


def empties(
    runs: Mapping[str, Sequence[RunScores]], shown: Sequence[str], mean: str, policy: str
) -> dict[tuple[str, str], Empties]:
    """Count them for each model and region, `mean` being all regions together."""
    counts = policies.find(policy).both_empty_counts
    return {
        (model, region): _count(several, None if region == mean else region, counts)
        for model, several in runs.items()
        for region in shown
    }


def _count(runs: Sequence[RunScores], region: str | None, counts: bool) -> Empties:
    number = values = 0
    for run in runs:
        for column, name in enumerate(run.regions):
            if region in (None, name):
                # One policy counts what the other leaves out: the rest is the same.
                defined = {key: int(run.dice[key][column, 1]) for key in policies.POLICIES}
                number += defined["brats"] - defined["exclude"]
                values += defined["brats"]
    return Empties(number, values, number / values if counts and values else 0.0)
