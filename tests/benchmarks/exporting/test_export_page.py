"""docs/export.md has a row for every network, rank and format, and counts them as it says."""

import re
from pathlib import Path

import pages

import zoo
from benchmarks.exporting import exported

PAGE = Path(__file__).parents[3] / "docs" / "export.md"


def test_every_export_has_its_row_and_the_page_counts_them():
    lines = pages.table_of(PAGE, "make exports").splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [tuple(row[:3]) for row in cells] == [
        (name, str(rank), form)
        for name in zoo.names()
        for rank in zoo.card(name).ranks
        for form in exported.FORMATS
    ]
    refused = {tuple(row[:3]) for row in cells if row[3].startswith("no: ")}
    page = PAGE.read_text(encoding="utf-8")
    told = re.search(r"Of (\d+)\s+combinations (\d+) work", page)
    assert [int(told[1]), int(told[2])] == [len(cells), len(cells) - len(refused)]
    assert {name for name, _, form in refused if form != "litert"} == {"mednext"}
    volumes = {name for name in zoo.names() if 3 in zoo.card(name).ranks}
    works = volumes - {name for name, rank, form in refused if (rank, form) == ("3", "litert")}
    named = re.search(r"as LiteRT all in 2D, and of volumes (.+?)\.", page)[1]
    assert set(re.findall(r"`(\w+)`", named)) == works
    for row in cells:
        assert row[3].startswith("no: ") or float(row[3]) < 1e-2
