"""Words no surer than the test, in sentences that are made and in those that are written."""

import math
import re
from pathlib import Path

import pytest

from benchmarks.comparison.judging.wording import Evidence, scope, verdict

ROOT = Path(__file__).parents[3]
ONE = "on these patients, for one training each; another training is unknown"
LEVEL = "cannot be told apart"


@pytest.mark.parametrize(
    ("p", "interval", "patients", "seeds", "tests", "words"),
    [
        (0.001, (0.1, 0.3), 40, 3, 1, "higher beyond the scatter of patients and of 3 seeds"),
        (0.001, (-0.3, -0.1), 40, 2, 1, "lower beyond the scatter of patients and of 2 seeds"),
        (0.001, (0.1, 0.3), 40, 1, 1, f"higher {ONE}"),
        (1e-12, (-0.3, -0.1), 500, 1, 1, f"lower {ONE}"),
        (0.2, (0.1, 0.3), 40, 3, 1, LEVEL),  # the interval alone is not enough
        (0.001, (-0.05, 0.35), 40, 3, 1, LEVEL),  # nor is p
        (0.0499, (0.1, 0.3), 40, 1, 1, f"higher {ONE}"),
        (0.05, (0.1, 0.3), 40, 1, 1, LEVEL),
        (0.06, (0.1, 0.3), 5, 1, 1, f"{LEVEL}: 5 patients are too few for any test"),
        (0.01, (0.1, 0.3), 9, 1, 28, f"{LEVEL}: 9 patients are too few for any test"),
        (math.nan, (-0.05, 0.35), 13, 1, 1, LEVEL),
        (math.nan, (0.05, 0.35), 13, 1, 1, "apart by their intervals, not tested"),
        (math.nan, (math.nan, math.nan), 1, 1, 1, LEVEL),
        (0.001, (math.nan, math.nan), 40, 2, 1, LEVEL),
    ],
)
def test_words_follow_from_test_interval_and_seeds(p, interval, patients, seeds, tests, words):
    assert verdict(Evidence(p, *interval, patients, seeds, tests)) == words


def test_one_training_never_speaks_for_another():
    assert "unknown" in scope(1)
    assert "unknown" not in scope(2)


SURER_THAN_ANY_TEST = re.compile(
    r"beyond (any )?doubt|without (a )?doubt|undoubted|no doubt|\bcertainly\b|\bsurely\b|"
    r"\bdefinitely\b|\bproves?\b|\bproven\b|\bany network\b|\bof course\b|\bobviously\b",
    re.IGNORECASE,
)
READ = [
    ROOT / "README.md",
    ROOT / "results" / "README.md",
    *ROOT.glob("docs/findings/*.md"),
    *ROOT.glob("zoo/architectures/*.py"),
    *ROOT.glob("benchmarks/templates/*"),
    *(
        path
        for room in ("comparison", "findings", "tables", "report", "plots")
        for path in ROOT.glob(f"benchmarks/{room}/*.py")
    ),
]


@pytest.mark.parametrize("path", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_is_surer_than_a_test_can_be(path):
    found = SURER_THAN_ANY_TEST.findall(re.sub(r"\s+", " ", path.read_text(encoding="utf-8")))
    assert not found
