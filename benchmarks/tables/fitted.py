"""Tables of a terminal: as wide as it is, with fewer columns where they would be cut to pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

PLAIN = 140  # characters of a line where no terminal says how many


@dataclass(frozen=True)
class Column:
    """A heading, its side, and when it goes: the highest first, those of 0 never."""

    heading: str
    goes: int = 0
    justify: Any = "right"


def console() -> Console:
    """Return where tables are printed."""
    return Console(width=None if Console().is_terminal else PLAIN, highlight=False)


def show(
    place: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = ""
) -> None:
    """Print the columns that there is room for, and name the others."""
    kept = list(range(len(columns)))
    while (grid := _grid(columns, rows, kept, title)) and _width(place, grid) > place.width:
        spare = [column for column in kept if columns[column].goes]
        if not spare:
            break
        kept.remove(max(spare, key=lambda column: columns[column].goes))
    place.print(grid)
    gone = [column.heading for number, column in enumerate(columns) if number not in kept]
    if gone:
        place.print(Text(f"No room for {', '.join(gone)}: widen the terminal, or ask for --json."))


def _width(place: Console, grid: Table) -> int:
    return Measurement.get(place, place.options.update(max_width=10_000), grid).maximum


def _grid(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], kept: Sequence[int], title: str
) -> Table:
    grid = Table(title=Text(title) if title else None, title_justify="left")
    for number in kept:
        grid.add_column(Text(columns[number].heading), justify=columns[number].justify)
    for row in rows:
        grid.add_row(*(Text(row[number]) for number in kept if number < len(row)))
    return grid
