"""What is committed in results: it verifies, shows no patient, lists what the GPU has to do."""

import re
from pathlib import Path

import pytest

from benchmarks import record
from benchmarks.__main__ import main
from benchmarks.gpu import tasks

RESULTS = Path(__file__).parents[2] / "results"
RECORDS = sorted(RESULTS.glob("*/*.json"))


def test_every_committed_record_verifies(capsys):
    assert RECORDS
    assert main(["verify", "--results", str(RESULTS)]) == 0


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_committed_record_can_be_repeated_and_names_no_place_of_a_machine(path):
    found = record.read(path)
    assert found.command.startswith(f"gliozoo bench {found.run['model']} ")
    assert not re.search(r"/(home|root|tmp|work|Users|mnt)/", path.read_text())
    assert not found.environment["dirty"]


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
