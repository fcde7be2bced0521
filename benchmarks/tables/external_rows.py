"""The table "external patients": a network at other sites, beside its own test patients."""

from collections.abc import Sequence

from benchmarks.comparison.external import External
from benchmarks.tables import cells

TITLE = "External patients"
HEAD = ("Site", "Model", "Region", "Patients", "Dice there", "Dice inside", "Drop", "Marked")
LESS = {"Marked": 1, "Dice inside": 2}  # when each goes where there is no room
NOTE = (
    "Inside are the run's own test patients; the drop is Dice there less Dice inside, with the "
    "interval of two independent means. Not ranked: each site's patients are others."
)


def rows(found: Sequence[External]) -> list[list[str]]:
    """Return the cells."""
    return [
        [
            cells.printable(one.site),
            cells.printable(one.model),
            cells.printable(one.region),
            str(one.n),
            f"{cells.number(one.dice)} {cells.interval(one.lower, one.upper)}",
            _inside(one),
            _drop(one),
            _mark(one),
        ]
        for one in found
    ]


def _inside(one: External) -> str:
    if one.internal is None:
        return cells.ABSENT
    return f"{cells.number(one.internal)} ({one.n_internal})"


def _drop(one: External) -> str:
    if one.drop is None or one.drop_lower is None or one.drop_upper is None:
        return cells.ABSENT
    text = (
        f"{cells.signed(one.drop)} [{cells.signed(one.drop_lower)}, {cells.signed(one.drop_upper)}]"
    )
    return text if one.drop_lower > 0 or one.drop_upper < 0 else f"~ {text}"


def _mark(one: External) -> str:
    told = [f"{one.seen} of the patients were trained on"] if one.seen else []
    if not one.seen and not one.checked:
        told.append("not known whether they were trained on")
    if one.resampled:
        told.append(f"{one.resampled} of the scans were resampled")
    return "; ".join(told)


def show(found: Sequence[External]) -> None:
    """Print the table on a terminal."""
    from rich.text import Text

    from benchmarks.tables import fitted

    console = fitted.console()
    columns = [fitted.Column(heading, LESS.get(heading, 0), "left") for heading in HEAD]
    fitted.show(console, columns, rows(found), TITLE)
    console.print(Text(f"  {NOTE}"))
