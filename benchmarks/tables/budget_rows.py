"""What training bought: the best validation Dice within so many minutes."""

from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.reading.budgets import MINUTES, Budgets
from benchmarks.comparison.verdict import counted, listed
from benchmarks.tables import cells

TITLE = "What training bought"
HEAD = ["Model", *(f"after {counted(minutes, 'minute')}" for minutes in MINUTES), "Runs"]


def note(found: Budgets) -> str:
    """Say what is shown, and who leads when."""
    told = (
        "The best Dice on the validation patients within so many minutes of training steps, on "
        f"{found.setting}; a dash where not every run had ended an epoch. It chose the epochs, so "
        "it flatters: the ranking above is what counts."
    )
    ahead = [(_leader(found, minutes), minutes) for minutes in MINUTES]
    leaders = [f"{model} after {counted(minutes, 'minute')}" for model, minutes in ahead if model]
    told += f" Ahead: {listed(leaders)}." if leaders else ""
    if found.left_out:
        told += f" Timed elsewhere, so left out: {listed(found.left_out)}."
    return told


def _leader(found: Budgets, minutes: int) -> str | None:
    reached = {model: found.reached(model, minutes) for model in found.courses}
    known = {model: dice for model, dice in reached.items() if dice == dice}
    return max(known, key=known.__getitem__) if known and len(reached) > 1 else None


def rows(table: Table, found: Budgets) -> list[list[str]]:
    """Return a row for each model that was timed, in the order of the ranking."""
    return [
        [
            model,
            *(cells.number(found.reached(model, minutes)) for minutes in MINUTES),
            str(len(found.courses[model])),
        ]
        for model in table.models
        if model in found.courses
    ]
