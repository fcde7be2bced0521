"""Which file is which page of the site, and a file's links as links between pages."""

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Pages that do not lie in docs/, where people look for them in a repository.
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "results/README.md": "results.md",
    "results/leaderboard.md": "leaderboard.md",
}
FOLDERS = {"docs/decisions": "decisions/index.md"}
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]+)(?P<part>#[^)\s]*)?\)")
IMAGE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def page_of(file: str) -> str | None:
    """Return what a file of the repository is in the site; None: it is not there."""
    if file in ELSEWHERE or file in FOLDERS:
        return ELSEWHERE.get(file) or FOLDERS[file]
    return file.removeprefix("docs/") if file.startswith("docs/") else None


def source_of(page: str) -> str:
    """Return the file that a page is made of."""
    back = {page: file for file, page in ELSEWHERE.items()}
    return back.get(page, f"docs/{page}")


def linked(text: str, page: str) -> str:
    """Turn a file's links into its page's; what is not in the site is named, not linked."""
    folder = posixpath.dirname(source_of(page))

    def target(written: str) -> str | None:
        file = posixpath.normpath(posixpath.join(folder, written))
        goal = page_of(file)
        return goal and posixpath.relpath(goal, posixpath.dirname(page) or ".")

    def link(found: re.Match[str]) -> str:
        written = found["target"]
        if ":" in written:
            return found[0]
        goal = target(written)
        if goal:
            return f"[{found['text']}]({goal}{found['part'] or ''})"
        file = posixpath.normpath(posixpath.join(folder, written))
        return found["text"] if file in found["text"] else f"{found['text']} (`{file}`)"

    def image(found: re.Match[str]) -> str:
        return f"![{found['text']}]({target(found['target']) or found['target']})"

    return IMAGE.sub(image, LINK.sub(link, text))


def title(text: str) -> str:
    """Return the first heading of a page."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def index(heading: str, pages: Iterable[Path]) -> str:
    """Return a page that lists others by their headings."""
    rows = [f"- [{title(page.read_text())}]({page.name})" for page in sorted(pages)]
    return "\n".join([f"# {heading}", "", *rows, ""])


def plain(text: str) -> str:
    """Return text in which Markdown finds nothing of its own."""
    text = re.sub(r"([\\`*_\[\]|])", r"\\\1", text)
    return text.replace("<", "&lt;").replace(">", "&gt;")
