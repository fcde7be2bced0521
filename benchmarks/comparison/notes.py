"""What the numbers of a table are: by which method, how often it is right, what each answers."""

import numpy as np

from benchmarks.comparison.judging import intervals, measured_coverage, smallest_shown
from benchmarks.comparison.judging.contrasts import Contrast
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.judging.wording import ALPHA
from benchmarks.comparison.verdict import counted, listed


def notes(table: Table) -> list[str]:
    """Return the notes that stand under a ranking."""
    told = [_intervals(len(table.patients))]
    if len(table.models) > 1:
        told.append(_ranks(table))
        told += _smallest(table)
    told += [*_outside(table), *_empty(table)]
    return told


def _intervals(patients: int) -> str:
    found = measured_coverage.of(patients)
    text = f"Intervals of means: nominal 95 %, {intervals.METHOD}."
    if found is None:
        fewest = measured_coverage.FEWEST
        return f"{text} For fewer than {fewest} patients nobody measured what they hold."
    return (
        f"{text} In simulations of {found.patients} patients they hold the true mean in "
        f"{_percent(found.mean)} of samples, intervals of differences in "
        f"{_percent(found.difference)}, those of ranks in {_percent(found.rank)}."
    )


def _percent(bounds: tuple[float, float]) -> str:
    low, high = (round(100 * share) for share in bounds)
    return f"{low} %" if low == high else f"{low} to {high} %"


def _ranks(table: Table) -> str:
    """Say why a narrow rank and a pair that cannot be told apart do not contradict each other."""
    pairs = distinct(table)
    below = sum(pair.p < ALPHA for pair in pairs)
    apart = sum(pair.distinguishable for pair in pairs)
    return (
        "A rank's interval says where a mean would stand among other patients, for these "
        "trainings and each model by itself. Told apart is asked of two models, beyond patients "
        f"and seeds and for {counted(len(pairs), 'pair')} at once: {below} of {len(pairs)} have "
        f"p below {ALPHA:g} over patients before, {apart} after seeds and Holm's adjustment."
    )


def _outside(table: Table) -> list[str]:
    """Say which rows are of models that are not the zoo's, and where those come from."""
    told = []
    for model in table.models:
        origin = table.runs(model)[0].record.run.get("origin")
        if origin:
            version = f" {origin['version']}" if origin.get("version") else ""
            known = "masks made elsewhere, cost and recipe unknown"
            if origin["kind"] != "masks":
                known = f"{origin['kind']} {origin['name']}{version}"
            told.append(f"{model} ({known})")
    if not told:
        return []
    return [
        f"From outside the zoo, without claims: {listed(told)}; behind the @ stands the SHA-256 of "
        "its source, or of the masks."
    ]


def _smallest(table: Table) -> list[str]:
    """Say what a difference had to be to be seen at all."""
    dice = np.stack([table.dice(model) for model in table.models], axis=1)
    found = smallest_shown.of_patients(dice)
    if found is None:
        return []
    seeds = smallest_shown.of_seeds(table.scatter)
    text = (
        "The smallest difference in mean Dice that "
        f"{counted(len(table.patients), 'patient')} could have shown is {found:.3f} (paired t-test "
        "of one pair at 5 %, 80 % power)"
    )
    return [f"{text}; over seeds it is {seeds:.3f}." if seeds is not None else f"{text}."]


def distinct(table: Table) -> list[Contrast]:
    """Return each pair once."""
    return list({frozenset(key): pair for key, pair in table.contrasts.items()}.values())


def _empty(table: Table) -> list[str]:
    """Name the models whose mean is partly that of patients in whom there was nothing to find."""
    region = table.regions[0]
    parts = []
    for model in table.models:
        found, estimate = table.empties[model, region], table.estimates.get((model, region, "dice"))
        if found.part and estimate:
            values = f"{found.number} of {counted(found.values, 'value')}"
            parts.append(f"{found.part:.3f} of {model}'s {estimate.mean:.3f} ({values})")
    if not parts:
        return []
    return [
        f"Neither mask holds the region and policy '{table.policy}' counts a Dice of 1: "
        f"{listed(parts)} {'comes' if len(parts) == 1 else 'come'} from such values."
    ]
