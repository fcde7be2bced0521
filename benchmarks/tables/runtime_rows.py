"""The table "runtimes": one network in Keras, XLA, onnxruntime and OpenVINO, on one machine."""

from collections.abc import Sequence

from benchmarks.comparison.reading.runtime_sheet import Measured, Sheet
from benchmarks.tables import cells

TITLE = "Runtimes"
HEAD = ("Model", "Runtime", "ms, p50", "p95", "MB", "Dice", "Less Keras", "Refused")
LESS = {"p95": 1, "MB": 2}  # when each goes where there is no room
NOTE = (
    "Milliseconds of one slice or window, after warming up; the size is that of the weights or of "
    "the exported file. Dice is the mean of the run's test patients; less Keras' on the same ones, "
    "with the least and the greatest difference of a patient."
)


def rows(sheets: Sequence[Sheet]) -> list[list[str]]:
    """Return the cells, a row a runtime of each network."""
    return [_row(sheet, one) for sheet in sheets for one in sheet.rows]


def note(sheets: Sequence[Sheet]) -> str:
    """Say what the figures are, and of which machine."""
    where = {f"{one.cpu}, {one.threads} thread{'s' * (one.threads != 1)}" for one in sheets}
    return f"{NOTE} Measured on {'; '.join(sorted(where))}."


def _row(sheet: Sheet, one: Measured) -> list[str]:
    return [
        cells.printable(sheet.model),
        cells.printable(one.runtime),
        _number(one.p50, 2),
        _number(one.p95, 2),
        _number(one.megabytes, 2),
        cells.ABSENT if one.dice is None else f"{cells.number(one.dice)} ({sheet.patients})",
        _difference(one),
        cells.printable(one.refused),
    ]


def _number(value: float | None, digits: int) -> str:
    return cells.ABSENT if value is None else f"{value:.{digits}f}"


def _difference(one: Measured) -> str:
    if one.difference is None:
        return cells.ABSENT
    told = f"{one.difference:+.4f}"
    if one.least is not None and one.most is not None:
        told += f" [{one.least:+.4f}, {one.most:+.4f}]"
    return told.replace("-", "\u2212")


def show(sheets: Sequence[Sheet]) -> None:
    """Print the table on a terminal."""
    from rich.text import Text

    from benchmarks.tables import fitted

    console = fitted.console()
    head = HEAD if any(one.refused for sheet in sheets for one in sheet.rows) else HEAD[:-1]
    columns = [fitted.Column(heading, LESS.get(heading, 0), "left") for heading in head]
    fitted.show(console, columns, [row[: len(head)] for row in rows(sheets)], TITLE)
    console.print(Text(f"  {note(sheets)}"))
