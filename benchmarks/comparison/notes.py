"""What the numbers of a table are: by which method, how often it is right, what each answers."""

from statistics import median

from benchmarks.comparison import measured_coverage
from benchmarks.comparison.judging import intervals
from benchmarks.comparison.judging.contrasts import Contrast
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.judging.wording import ALPHA
from benchmarks.comparison.verdict import counted, listed


def notes(table: Table) -> list[str]:
    """Return the notes that stand under a ranking."""
    told = [_intervals(len(table.patients))]
    if len(table.models) > 1:
        told += [_ranks(table), *_power(table)]
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
    more = [name for name in _tested(table) if name != "patients"] or ["seeds"]
    return (
        "A rank's interval says where a mean would stand among other patients, for these "
        "trainings and each model by itself. Told apart is asked of two models, beyond patients "
        f"and {listed(more)} and for {counted(len(pairs), 'pair')} at once: {below} of "
        f"{len(pairs)} have p below {ALPHA:g} over patients before, {apart} after {listed(more)} "
        "and Holm's adjustment."
    )


def _power(table: Table) -> list[str]:
    """Say which differences this table could hardly have found."""
    pairs = distinct(table)
    found = [pair.detectable for pair in pairs if pair.detectable == pair.detectable]
    if not found:
        return []
    tested = listed(_tested(table)).replace("folds", "folds (whose networks share patients)")
    return [
        f"Beyond {tested}, and at .05 divided by {counted(len(pairs), 'pair')}, a true "
        f"difference of {median(found):.3f} of a typical pair would be found in 80 % of such "
        f"samples, of the best known pair one of {min(found):.3f}; smaller ones mostly stay "
        "undecided."
    ]


def _tested(table: Table) -> list[str]:
    """Name what else a difference might be, as far as this table's tests heard of it."""
    tested = ["patients"]
    if any(pair.p_folds == pair.p_folds for pair in table.contrasts.values()):
        tested.append("folds")
    if table.scatter.freedom:
        tested.append("seeds")
    return tested


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
