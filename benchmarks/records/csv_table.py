"""Tables as files: rows of plain values as CSV, in which nothing is a formula."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.records.record import finite

_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f]+")


def text(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> str:
    """Print dicts as a table; an absent or undefined value is an empty cell."""
    rows = [finite(row) for row in rows]
    written = io.StringIO()
    columns = columns or list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(written, columns, lineterminator="\n", restval="")
    writer.writerow({name: harmless(name) for name in columns})
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return written.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    return harmless(" ".join(map(str, value)) if isinstance(value, list) else value)


def harmless(value: object) -> str:
    """Return a text on one line, which no spreadsheet takes for a formula and any file can hold."""
    told = str(value).encode("utf-8", "backslashreplace").decode()
    told = _CONTROLS.sub(" ", told).strip()
    return f"'{told}" if told[:1] in ("=", "+", "-", "@") and told else told
