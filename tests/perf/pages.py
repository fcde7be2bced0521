"""Tables within pages: between a line that names the command that writes them, and END."""

from pathlib import Path

END = "<!-- until here -->"


def table_of(page: Path, command: str) -> str:
    """Return the table that the command wrote."""
    return _parts(page, command)[1]


def put(page: Path, command: str, table: str) -> None:
    """Write a table in the place of the one that the command wrote before."""
    before, _, behind = _parts(page, command)
    page.write_text(before + table + behind, encoding="utf-8")


def _parts(page: Path, command: str) -> tuple[str, str, str]:
    text, begin = page.read_text(encoding="utf-8"), f"<!-- {command} -->\n"
    start = text.index(begin) + len(begin)
    stop = text.index(END, start)
    return text[:start], text[start:stop], text[stop:]
