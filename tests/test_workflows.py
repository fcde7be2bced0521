"""Workflows are of the form that GitHub reads, and each job is made of targets, as a desk is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_has_the_form_that_github_reads(file):
    schema = ["--builtin-schema", "vendor.github-workflows"]
    command = [sys.executable, "-m", "check_jsonschema", *schema, str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_jobs_call_targets_that_there_are(file):
    text = file.read_text(encoding="utf-8")
    called = re.findall(r"\bmake (?:--silent )?([a-z0-9-]+)", re.sub(r"^#.*", "", text, flags=re.M))
    assert called
    assert set(called) <= TARGETS
    jobs = len(re.findall(r"^  [a-z-]+:\n    (?:needs|runs-on)", text, re.MULTILINE))
    assert len(called) >= jobs


def test_what_ci_runs_is_made_of_targets_too():
    lines = (ROOT / ".ci/run").read_text().splitlines()
    made = [line.split()[-1] for line in lines if line.startswith(("make", "exec make"))]
    assert made[0] == "test"
    assert set(made) <= TARGETS
