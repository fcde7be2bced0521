"""What may come in: a regular file of a bounded size, holding JSON of a bounded depth.

Both bounds are looked at before memory is spent: parsed, a file takes some ten times its size.
"""

import json
import re
import stat
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError

MEGABYTE = 10**6
LARGEST = 64 * MEGABYTE  # bytes; 1,251 patients of six regions and 155 slices take 22 MB
DEEPEST = 24  # levels; records have seven
_BRACKETS = b"[]{}"
_OTHERS = bytes(set(range(256)) - set(_BRACKETS))
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')


def content(path: Path | str, largest: int = LARGEST) -> bytes:
    """Return the bytes of a file; a reason without the path where it may not come in."""
    path = Path(path)
    try:
        known = path.stat()
        if not stat.S_ISREG(known.st_mode):
            raise UserError("it is no regular file.")
        if known.st_size > largest:
            raise UserError(
                f"it has {known.st_size / MEGABYTE:,.0f} MB; expected {largest // MEGABYTE} MB "
                "at the most."
            )
        with path.open("rb") as file:
            return file.read(largest)
    except OSError as error:
        raise UserError(f"it cannot be read: {error.strerror or error}.") from error


def parsed(content: bytes) -> Any:
    """Return the JSON of some bytes; NaN and infinities become None."""
    try:
        document = json.loads(content, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise UserError(f"it is not JSON ({error}).") from error
    if _is_deep(content) and _is_deep(_TEXT.sub(b"", content)):  # a text may hold brackets
        raise UserError(f"it is not JSON of up to {DEEPEST} levels.")
    return document


def _is_deep(content: bytes) -> bool:
    """Take brackets off from the inside, a level at a time, and see whether any are left."""
    brackets = content.translate(None, _OTHERS)
    for _ in range(DEEPEST):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)
