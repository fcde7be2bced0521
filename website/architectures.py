"""A page for each architecture: out of its card, its file's first lines and the shipped records."""

import ast
import csv
from collections.abc import Iterator, Mapping
from textwrap import dedent

import zoo
from benchmarks.commands.describe import sections
from website.pages import DOCS, ROOT, plain
from zoo.card import FAMILIES

RECORDS = ROOT / "results" / "leaderboard.csv"
# Pages with a row for each architecture, linked where they are there.
WITH_ROWS = {"fidelity.md": "How true it is to its source", "perf/zoo.md": "How fast it is"}
HEAD = ("Protocol", "Variant", "Region", "Rank", "Dice [95 %]", "IoU", "HD95", "Patients", "Runs")


def page(name: str) -> str:
    """Return the page of one architecture."""
    card = zoo.card(name)
    parts = [
        f"# {card.title}",
        f"`{name}` · {plain(card.paper)}\n\nSource: {plain(card.source)}",
        *_sketch(name),
        f'```python\nimport zoo\n\nmodel = zoo.create("{name}")\n```\n\n'
        f"`gliozoo bench {name}` trains it, `gliozoo describe {name}` prints what follows.",
        *_results(name),
    ]
    for title, lines in sections(card).items():
        listed = "\n".join(f"- {plain(line.strip())}" for line in lines)
        parts.append(f"## {title}\n\n{listed}")
    links = [f"[{told}](../{file})" for file, told in WITH_ROWS.items() if (DOCS / file).is_file()]
    parts += [" · ".join(links)] * bool(links)
    parts.append("## How to cite\n\nThe paper above, and GlioZoo by its `CITATION.cff`.")
    return "\n\n".join(parts) + "\n"


def ordered() -> list[str]:
    """Return all names, by family."""
    return sorted(zoo.names(), key=lambda name: (FAMILIES.index(zoo.card(name).family), name))


def index() -> str:
    """Return the list of all, by family."""
    cards = {name: zoo.card(name) for name in ordered()}
    parts = ["# Architectures"]
    for family in FAMILIES:
        rows = [
            f"- [{card.title}]({name}.md) `{name}`: {plain(card.paper)}"
            for name, card in cards.items()
            if card.family == family
        ]
        parts += [f"## {family[0].upper()}{family[1:]}", "\n".join(rows)] * bool(rows)
    return "\n\n".join(parts) + "\n"


def _sketch(name: str) -> list[str]:
    """Return the first lines of an architecture's file: what it is, and the shapes as a drawing."""
    source = (ROOT / "zoo" / "architectures" / f"{name}.py").read_text(encoding="utf-8")
    _, *rest = (ast.get_docstring(ast.parse(source)) or "").split("\n\n")
    return [
        f"```text\n{dedent(part)}\n```" if part.startswith("    ") else plain(part) for part in rest
    ]


def _results(name: str) -> Iterator[str]:
    """Yield the rows of the leaderboard that are its own, with what they may be taken for."""
    with RECORDS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == name]
    yield "## Measured here"
    if not rows:
        yield "No record of it is shipped yet."
        return
    lines = [HEAD, ["---"] * len(HEAD), *map(_row, rows)]
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines)
    yield (
        "Intervals are over the test patients; a protocol ranks its own models alone, and those "
        "of `author_` and `_leaky` rank nothing. What may be concluded stands on "
        "[the leaderboard](../leaderboard.md)."
    )


def _row(row: Mapping[str, str]) -> tuple[str, ...]:
    def number(key: str, decimals: int = 3) -> str:
        return f"{float(row[key]):.{decimals}f}" if row[key] else "–"

    alone = row["protocol"].startswith("author") or row["leaky"] == "true"
    return (
        f"`{row['protocol']}`",
        row["variant"] and f"`{row['variant']}`",
        row["region"],
        "–" if alone else row["rank"],
        f"{number('dice')} [{number('ci_lower')}, {number('ci_upper')}]",
        number("iou"),
        number("hd95", 1),
        row["n_test"],
        row["n_runs"],
    )
