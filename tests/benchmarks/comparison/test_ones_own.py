"""One's own runs come first, the repository's stand under a heading of theirs."""

import subprocess
from pathlib import Path

import fabricate
import pytest

from benchmarks.comparison import compare as comparing
from benchmarks.comparison.reading.shipped import shipped
from benchmarks.records import record
from benchmarks.tables import markdown, terminal

ROOT = Path(__file__).parents[3]
OTHER = {"train": {"epochs": 5}}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Return a results folder with three records that came along, in a checkout."""
    folder = tmp_path / "results"
    theirs = [fabricate.a_record(model) for model in ("unet", "sa_unet", "mod_r2au")]
    fabricate.archive(theirs, folder)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "results"], check=True)
    monkeypatch.setattr(comparing, "shipped", lambda folders: shipped(folders, tmp_path))
    return folder


def test_tracked_records_are_those_that_came_along(results):
    theirs = {path.resolve() for path in record.paths(results)}
    fabricate.archive([fabricate.a_record("unet", protocol=OTHER)], results)
    assert len(record.paths(results)) == len(theirs) + 1
    assert shipped([results], results.parent) == theirs
    assert not shipped([results], results)  # no checkout
    assert not shipped([results.parent.parent], results.parent)  # not in it


def test_ones_own_runs_come_first(results, capsys):
    fabricate.archive([fabricate.a_record("unet", protocol=OTHER)], results)
    found = comparing.compare(results)
    assert [len(table.models) for table in found.tables] == [1, 3]
    assert found.own == 1
    text = markdown.to_markdown(found)
    heading = "**Reference results of the repository**"
    assert text.index("## Table 1") < text.index(heading) < text.index("## Table 2")
    terminal.show(found)
    assert "Reference results of the repository" in capsys.readouterr().out


def test_a_run_under_their_protocol_is_ranked_among_them(results):
    fabricate.archive([fabricate.a_record("res_attention_unet")], results)
    found = comparing.compare(results)
    assert [len(table.models) for table in found.tables] == [4]
    assert found.own == 1
    assert "Reference results" not in markdown.to_markdown(found)


def test_without_ones_own_there_is_no_heading(results):
    found = comparing.compare(results)
    assert found.own == len(found.tables)
    assert "Reference results" not in markdown.to_markdown(found)


def test_other_folders_are_called_so(results, tmp_path):
    mine = tmp_path.parent / f"{tmp_path.name}-mine"
    fabricate.archive([fabricate.a_record("unet", protocol=OTHER)], mine)
    assert comparing.compare([mine, results]).reference == comparing.REPOSITORY
    further = tmp_path.parent / f"{tmp_path.name}-further"
    fabricate.archive([fabricate.a_record("unet", protocol={"train": {"epochs": 6}})], further)
    assert comparing.compare([mine, results, further]).reference == comparing.OTHERS


def test_what_a_run_writes_is_no_untracked_file_of_the_repository():
    def ignored(path: str) -> bool:
        return not subprocess.run(["git", "-C", str(ROOT), "check-ignore", "-q", path]).returncode

    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    assert ignored("results/any-host/unet-quick-s0.json")
    assert ignored("results/cpu-2core/runs/unet-quick-s0/history.csv")
    for committed in ("results/cpu-2core/a.json", "results/plots/a.svg", "results/leaderboard.md"):
        assert not ignored(committed)
