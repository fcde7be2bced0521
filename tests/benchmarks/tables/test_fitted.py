"""Tables on terminals of any width: no cell is cut, and what there is no room for is named."""

import re

import fabricate
import pytest

from benchmarks.comparison.compare import compare
from benchmarks.tables import bench_rows, terminal

MODELS = ("unet", "res_attention_unet", "sa_unet")


@pytest.fixture
def made():
    return [fabricate.a_record(model) for model in MODELS]


def printed(capsys, monkeypatch, width, show):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    show()
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)


def grid_of(text):
    return [line for line in text.splitlines() if line[:1] in "│┃┏┡└"]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_rows_of_bench_are_whole_at_any_width(width, capsys, monkeypatch, made):
    text = printed(capsys, monkeypatch, width, lambda: bench_rows.show(made))
    assert max(map(len, grid_of(text))) <= width
    assert "…" not in text
    row = next(line for line in text.splitlines() if "res_attention_unet" in line)
    assert row.count("[") == 1
    gone = [heading for heading in bench_rows.LESS if heading not in text.partition("No room")[0]]
    assert ("No room for " in text) == bool(gone) == (width < 140)
    assert all(heading in text.partition("No room for ")[2] for heading in gone)
    assert "trained" not in gone


@pytest.mark.parametrize("width", [80, 140])
def test_the_ranking_is_whole_at_any_width(width, capsys, monkeypatch, made, tmp_path):
    fabricate.archive(made, tmp_path)
    text = printed(capsys, monkeypatch, width, lambda: terminal.show(compare(tmp_path)))
    grid = grid_of(text)
    assert max(map(len, grid)) <= width
    assert not any("…" in line for line in grid)
    rows = [line for line in grid if line.startswith("│")]
    assert len(rows) == len(MODELS)  # no cell is broken into lines
    assert ("IoU" in grid[1]) == (width == 140)
