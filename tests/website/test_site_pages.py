"""What the site is made of: pages out of cards, records, argparse and files, and their links."""

import ast
import csv
import importlib
import re

import pytest

import zoo
from benchmarks.__main__ import COMMANDS, parser_for
from website import architectures, commands, pages, python

FILES = [*pages.ELSEWHERE, *(f"docs/{file.name}" for file in sorted(pages.DOCS.glob("*.md")))]


@pytest.mark.parametrize("name", zoo.names())
def test_an_architecture_has_its_card_and_its_drawing(name):
    card, content = zoo.card(name), architectures.page(name)
    assert content.startswith(f"# {card.title}\n")
    assert f"`{name}`" in content
    for reference in card.references:
        assert reference.params is None or f"{reference.params:,} parameters" in content
    for told in (*card.flaws, *card.deviations):
        assert pages.plain(told) in content
    assert content.count("```") % 2 == 0


def test_measured_rows_are_those_of_the_leaderboard():
    with architectures.RECORDS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name in zoo.names():
        own = [row for row in rows if row["model"] == name]
        content = architectures.page(name)
        assert content.count("\n| `") == len(own)
        for row in own:
            assert f"{float(row['dice']):.3f} [{float(row['ci_lower']):.3f}, " in content
        assert ("No record of it is shipped yet." in content) == (not own)


def test_what_ranks_nothing_has_no_rank():
    assert "| `author_lgg2d_lite` |  | tumour | – |" in architectures.page("sa_unet")
    assert "| `lgg2d_lite_leaky` |  | tumour | – |" in architectures.page("unet")


def test_every_architecture_is_listed_once():
    listed = re.findall(r"\]\((\w+)\.md\)", architectures.index())
    assert sorted(listed) == zoo.names()


def test_pages_of_all_are_linked_only_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(architectures, "DOCS", tmp_path)
    assert "fidelity.md" not in architectures.page("unet")
    (tmp_path / "fidelity.md").write_text("# Fidelity\n")
    assert "(../fidelity.md)" in architectures.page("unet")


def test_the_command_line_is_told_to_its_last_option():
    content = commands.page()
    for name in COMMANDS:
        assert f"## gliozoo {name}\n" in content
    assert "### gliozoo data phantom\n" in content
    parser = parser_for("view")
    below = next(action for action in parser._actions if action.dest == "command")
    for action in below.choices["view"]._actions:
        for option in set(action.option_strings) - {"-h", "--help"}:
            assert f"`{option}`" in content


def test_a_link_to_a_file_is_a_link_to_its_page():
    readme = "[a](docs/data.md#x) [b](CONTRIBUTING.md) [c](LICENSE) [d](https://example.org) "
    assert pages.linked(readme + "![e](docs/images/f.png)", "index.md") == (
        "[a](data.md#x) [b](contributing.md) c (`LICENSE`) [d](https://example.org) "
        "![e](images/f.png)"
    )
    finding = "[a](../../results/leaderboard.md) [b](../gpu.md)"
    assert pages.linked(finding, "findings/leakage.md") == "[a](../leaderboard.md) [b](../gpu.md)"


@pytest.mark.parametrize("file", FILES)
def test_files_link_to_files_that_there_are(file):
    path = pages.ROOT / file
    text = path.read_text()
    written = [found["target"] for found in pages.LINK.finditer(text)]
    written += [found["target"] for found in pages.IMAGE.finditer(text)]
    lost = [one for one in written if ":" not in one and not (path.parent / one).exists()]
    assert lost == []


@pytest.mark.parametrize("file", FILES)
def test_python_in_the_documentation_can_be_read(file):
    for block in re.findall(r"^```python\n(.*?)^```", (pages.ROOT / file).read_text(), re.S | re.M):
        ast.parse(block)


@pytest.mark.parametrize("public", python.NAMES)
def test_public_names_are_where_the_page_looks_for_them(public):
    assert resolved(public) is resolved(python.NAMES[public])


def resolved(name: str):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)
