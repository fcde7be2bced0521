"""HTML that is safe by construction: whatever is not `Html` is escaped."""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.tables.cells import visible

TEMPLATES = Path(__file__).parent / "templates"
VOID = frozenset(("br", "img", "input", "meta", "link"))


def template(name: str, folder: Path = TEMPLATES) -> str:
    """Read a template, style or script."""
    return (folder / name).read_text(encoding="utf-8")


def digest(content: str) -> str:
    """Return what a Content-Security-Policy calls a script or a style by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


class Html(str):
    """Markup that may stand in a page as it is."""


def text(value: object) -> Html:
    """Return anything as markup; text is escaped, markup stays."""
    return value if isinstance(value, Html) else Html(html.escape(visible(value), quote=True))


def tag(name: str, *children: object, **attributes: Any) -> Html:
    """Return an element; `class_` and `for_` lose the underscore, others become hyphens."""
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{join(*children)}</{name}>")


def join(*children: object) -> Html:
    """Return elements and texts one after another; None is left out."""
    return Html("".join(text(child) for child in children if child is not None))


def _attribute(key: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'


def data(identity: str, value: Any) -> Html:
    """Return values for the script, in a block that no content can end."""
    content = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        content = content.replace(char, f"\\u{ord(char):04x}")
    return Html(f'<script type="application/json" id="{text(identity)}">{content}</script>')


def grid(
    head: Sequence[object], rows: Sequence[Sequence[object]], caption: str, **attributes: Any
) -> Html:
    """Return a plain table in a box of its own that scrolls sideways."""
    header = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    body = [
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
        for row in rows
    ]
    table = tag(
        "table",
        tag("caption", caption, class_="hidden"),
        tag("thead", header),
        tag("tbody", *body),
        **attributes,
    )
    return scroll(table, caption)


def scroll(table: Html, label: str) -> Html:
    """Return a table in a box that a keyboard can scroll."""
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)
