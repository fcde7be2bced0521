"""The seal of a record: a digest over its content, so that careless editing shows.

What is digested is the record as it is written, less the seal itself, and with 1.0 and 1 alike, so
that it holds when others print the same content anew. Whoever edits a record on purpose can seal it
again: docs/record.md says what a seal cannot prove.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

NAME = "seal"


def sealed(sections: Mapping[str, Any]) -> str:
    """Print plain sections, a line each and one for each row of a list, with their seal."""
    lines = _lines(sections)
    lines[NAME] = _line(NAME, _digest(_printed(lines).encode()))
    return _printed(lines)


def holds(content: bytes, document: Mapping[str, Any]) -> bool:
    """Say whether a file's seal is that of its content, however it is laid out."""
    seal = document.get(NAME)
    line = f"{_line(NAME, seal)},\n".encode()
    if _digest(content.replace(line, b"", 1)) == seal:
        return True  # it lies as it was written: nothing has to be printed
    try:
        return _digest(_printed(_lines(document)).encode()) == seal
    except ValueError:  # an infinity, which no record is written with
        return False


def _lines(sections: Mapping[str, Any]) -> dict[str, str]:
    return {name: _line(name, content) for name, content in sections.items() if name != NAME}


def _line(name: str, content: Any) -> str:
    if isinstance(content, list) and content:
        return f' "{name}": [\n  ' + ",\n  ".join(map(_compact, content)) + "\n ]"
    return f' "{name}": {_compact(content)}'


def _compact(content: Any) -> str:
    return json.dumps(content, sort_keys=True, allow_nan=False)


def _printed(lines: Mapping[str, str]) -> str:
    return "{\n" + ",\n".join(lines[name] for name in sorted(lines)) + "\n}\n"


def _digest(content: bytes) -> str:
    for end in (b",", b"]", b"}"):
        content = content.replace(b".0" + end, end)
    return hashlib.sha256(content).hexdigest()
