"""Tables as files: rows of plain values as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.record import finite


def text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Print dicts as a table; an absent or undefined value is an empty cell."""
    rows = [finite(row) for row in rows]
    written = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(written, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()
