"""The order that a BraTS challenge would give the models, beside the one by mean Dice."""

from benchmarks.comparison.judging.challenge_ranks import PERMUTATIONS, ChallengeRanks
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.judging.wording import ALPHA
from benchmarks.comparison.verdict import listed
from benchmarks.tables import cells

TITLE = "Ranked as BraTS challenges rank"
HEAD = ["Model", "Mean rank", "Place", "Place by Dice", f"Better than, p < {ALPHA:g}"]


def note(table: Table, found: ChallengeRanks) -> str:
    """Say what is ranked, and how far it agrees with the ranking by Dice."""
    named = listed([cells.label(metric, table.in_mm) for metric in found.metrics])
    return (
        f"In each patient and region the models are ranked by {named}; a mean rank is over all of "
        f"them. Pairs are tested by swapping the two in random patients ({PERMUTATIONS:,} times), "
        f"adjusted by Holm: over patients alone, for these trainings. Kendall's tau with the order "
        f"by mean Dice is {found.tau:.2f}."
    )


def rows(found: ChallengeRanks, by_dice: tuple[str, ...]) -> list[list[str]]:
    """Return a row for each model, best mean rank first."""
    told = []
    for place, (model, rank) in enumerate(found.mean_ranks.items(), 1):
        beaten = [other for (mine, other), p in found.p.items() if mine == model and p < ALPHA]
        told.append(
            [
                model,
                cells.number(rank, 2),
                str(place),
                str(by_dice.index(model) + 1),
                listed(beaten) or cells.ABSENT,
            ]
        )
    return told
