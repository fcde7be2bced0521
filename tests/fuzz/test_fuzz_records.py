"""Records spoilt in thousands of ways: each is ranked or named in one line, and nothing ends.

What is found stays as a case in `tests/benchmarks/records/test_door.py`.
"""

import contextlib
import io
import json

import fabricate
import mutate
import numpy as np
import pytest

from benchmarks import report
from benchmarks.__main__ import main
from benchmarks.comparison.compare import compare
from benchmarks.records import record
from benchmarks.tables import latex, leaderboard_csv, markdown

TOGETHER = 150  # cases in a results folder, among two good records


def good():
    """Return a record that has something in every section."""
    generator = np.random.default_rng(5)
    one = fabricate.a_record("unet", (0.8, 0.9, 0.0, 0.7), regions=("WT", "TC"))
    for patient in one.patients:
        for row in patient["regions"].values():
            row |= {"lesions": [{"dice": 0.7, "hd95": 3.0, "voxels": 40}]}
            row |= {"lesion_false_positives": 1}
    one.history.extend(fabricate.history(0.8, generator, epochs=4))
    one.training.update(epochs=4, best_epoch=3, seconds=9.5, threshold=0.5, stopped="epochs")
    one.calibration.update({region: fabricate.calibration(generator) for region in ("WT", "TC")})
    return fabricate.honest(one)


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """Return the good record as it lies on a disk, unsealed: a seal would name all that follows."""
    path = record.write(good(), tmp_path_factory.mktemp("good"))
    sealed = json.loads(path.read_text())
    return {name: value for name, value in sealed.items() if name != "seal"} | {"schema": 1}


def folders(document, path, count):
    """Write cases into results folders of two good records each, and yield folder and cases."""
    seeds = ({**document, "run": {**document["run"], "seed": number}} for number in range(count))
    cases = [mutate.of_document(own, number) for number, own in enumerate(seeds)]
    for start in range(0, count, TOGETHER):
        results = path / str(start)
        fabricate.archive([fabricate.a_record(name) for name in ("sa_unet", "mod_r2au")], results)
        for case in cases[start : start + TOGETHER]:
            folder = results / f"m{case.number}"
            folder.mkdir()
            (folder / "case.json").write_bytes(case.content)
        yield results


def everything(results):
    """Compare, verify and report a folder; return the comparison and what was printed."""
    comparison = compare(results)
    for made in (leaderboard_csv.to_csv, markdown.to_markdown, latex.to_latex, report.page):
        made(comparison).encode()
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        assert main(["verify", "--results", str(results)]) in (0, 1)
        assert main(["compare", "--results", str(results), "--out", str(results / "out")]) == 0
    return comparison, told.getvalue()


def check(document, tmp_path, count):
    for results in folders(document, tmp_path, count):
        comparison, told = everything(results)
        ranked = {
            run.path
            for one in comparison.tables
            for runs in one.group.runs.values()
            for run in runs
        }
        known = len(ranked) + len(comparison.failed) + len(comparison.left_out)
        known += len(comparison.external)
        assert known == len(record.paths(results))
        assert len(ranked) >= 2
        assert not {"\x1b", "\x07", "\x00"} & set(told)
        assert "Traceback" not in told


@pytest.mark.thorough
def test_spoilt_records_are_ranked_or_named(document, tmp_path):
    check(document, tmp_path, mutate.FEW)


@pytest.mark.slow
def test_thousands_of_spoilt_records_are_ranked_or_named(document, tmp_path):
    check(document, tmp_path, mutate.MANY)


def test_damaged_files_are_named(document, tmp_path):
    content = record.to_json(good()).encode()
    for case in mutate.files(content, count=mutate.FEW):
        folder = tmp_path / f"m{case.number}"
        folder.mkdir()
        (folder / "case.json").write_bytes(case.content)
    comparison = compare(tmp_path)
    intact = [case for case in mutate.files(content, count=mutate.FEW) if case.content == content]
    assert len(comparison.left_out) >= mutate.FEW - len(intact) - 3  # blanks that were doubled
