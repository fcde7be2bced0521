"""What is committed in results: it verifies, shows no patient, lists what the GPU has to do."""

import re
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import record
from benchmarks.__main__ import main
from benchmarks.gpu import tasks

RESULTS = Path(__file__).parents[2] / "results"
RECORDS = sorted(RESULTS.glob("*/*.json"))
SHOWN = ("rank", "rank_ci_lower", "rank_ci_upper", "dice", "ci_lower", "ci_upper", "precision")
SHOWN += ("sensitivity", "nsd_2mm", "param_count", "infer_gflops")


def test_every_committed_record_verifies(capsys):
    assert RECORDS
    assert main(["verify", "--results", str(RESULTS)]) == 0


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_committed_record_can_be_repeated_and_names_no_place_of_a_machine(path):
    found = record.read(path)
    assert found.command.startswith(f"gliozoo bench {found.run['model']} ")
    assert not re.search(r"/(home|root|tmp|work|Users|mnt)/", path.read_text())
    assert not found.environment["dirty"]


def test_the_leaderboard_is_what_its_records_make(tmp_path):
    assert main(["compare", "--results", str(RESULTS), "--out", str(tmp_path)]) == 0
    made, committed = (pd.read_csv(folder / "leaderboard.csv") for folder in (tmp_path, RESULTS))
    pd.testing.assert_frame_equal(made, committed, rtol=1e-6)


def test_the_readme_shows_the_leaderboard():
    board = pd.read_csv(RESULTS / "leaderboard.csv").query("table == 1").set_index("model")
    text = (RESULTS.parent / "README.md").read_text()
    rows = re.findall(r"^\| (\d \[.+?\]) \| `(\w+)` \| (.+) \|$", text, re.MULTILINE)
    assert [model for _, model, _ in rows] == list(board.index)
    for rank, model, rest in rows:
        told = [float(number) for number in re.findall(r"[\d.]+", f"{rank} {rest}")]
        assert told == pytest.approx([float(board.at[model, name]) for name in SHOWN], rel=5e-3)


def test_results_hold_no_picture_of_a_patient():
    pictures = [path for path in RESULTS.rglob("*.png") if "runs" in path.parts]
    assert pictures == []
    assert not (RESULTS / "plots" / "qualitative.png").exists()


def test_the_readme_lists_what_is_outstanding_for_the_gpu():
    every = tasks.tasks(tasks.Plan(), "data/lgg2d")
    missing = {task.name for task in tasks.outstanding(every, RESULTS)}
    lines = re.findall(r"^- \[([ x])\] (.+)$", (RESULTS / "README.md").read_text(), re.MULTILINE)
    told = {name: mark for mark, name in lines}
    assert told == {task.name: " " if task.name in missing else "x" for task in every}
