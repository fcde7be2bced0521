"""Metrics from files: kept in rows, shown as x_NAME, known by their source in the digest."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.errors import UserError
from benchmarks.protocols import own_metric, protocol, toml_file
from benchmarks.scoring import metrics, policies

MINE = """
def facts(reference, prediction, spacing):
    return {"first": float(reference.sum()), "depth": spacing[0]}


def value(row, policy):
    if row["status"] == "both_empty" and policy == "exclude":
        return None
    return row["first"] + row["fp"] * row["depth"]
"""
MASKS = np.array([[[True, True, False, False]]]), np.array([[[False, True, True, False]]])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "metrics.py").write_text(MINE)
    (tmp_path / "p.toml").write_text(
        'base = "quick"\n[evaluate]\nmetrics = ["./metrics.py:mine"]\n'
    )
    return tmp_path


def load(folder):
    (found,) = own_metric.load([f"{folder / 'metrics.py'}:mine"])
    return found


def row_of(mine, masks=MASKS, spacing=(3.0, 1.0, 1.0)):
    return own_metric.add([mine], metrics.measure(*masks, spacing), *masks, spacing)


def test_a_row_keeps_facts_and_values_under_every_policy(folder):
    row = row_of(load(folder))
    assert row["own"]["mine"]["facts"] == {"first": 2.0, "depth": 3.0}
    assert policies.values(row, "brats")["x_mine"] == 5.0
    empty = np.zeros((1, 1, 4), bool)
    row = row_of(load(folder), (empty, empty))
    assert policies.values(row, "brats")["x_mine"] == 0.0
    assert policies.values(row, "exclude")["x_mine"] is None


def test_the_source_is_in_the_digest_and_the_path_is_not(folder, tmp_path_factory):
    first = protocol.shipped(str(folder / "p.toml"))
    assert first.as_json()["evaluate"]["metrics"][0].startswith("metrics.py:mine@")
    assert first.digest != protocol.shipped("quick").digest
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "metrics.py").write_text(MINE)
    (elsewhere / "p.toml").write_text(toml_file.text("again", first.as_json()))
    assert protocol.shipped(str(elsewhere / "p.toml")).digest == first.digest
    (elsewhere / "metrics.py").write_text(MINE + "# changed\n")
    with pytest.raises(UserError, match="another source"):
        _ = protocol.shipped(str(elsewhere / "p.toml")).digest


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "gliozoo new metric"),
        ("def facts(a, b, c): return {}", "no function 'value'; it has facts"),
        ("def def", "is not Python"),
        ("1 / 0\n" + MINE, "raises ZeroDivisionError"),
        (MINE.replace("row[", "row.no["), "fails on masks of status 'ok' .AttributeError"),
        (MINE.replace('"first": ', '"tp": '), "can't name a fact"),
        (MINE.replace("float(reference.sum())", "reference"), "neither a number nor None"),
        ("def facts(*_): return 3\ndef value(*_): return 1", "not a dict"),
        ("def facts(*_): return {}\ndef value(*_): return 1e99", "too large"),
    ],
)
def test_a_file_that_is_no_metric_is_refused(folder, source, said):
    path = folder / "metrics.py"
    path.unlink() if source is None else path.write_text(source)
    with pytest.raises(UserError, match=said):
        load(folder)


@pytest.mark.parametrize("metrics", ['["dice"]', '["a.py:x", "b.py:x"]', '"./metrics.py:mine"'])
def test_what_names_no_metric_is_refused(folder, metrics):
    (folder / "p.toml").write_text(f"[evaluate]\nmetrics = {metrics}\n")
    with pytest.raises(UserError, match=r"p.toml: Expected"):
        protocol.shipped(str(folder / "p.toml"))


def test_a_failure_on_a_patient_is_noted_and_costs_no_run(folder):
    def fails(*_):
        raise ValueError("odd")

    row = row_of(replace(load(folder), facts=fails))
    assert policies.values(row, "brats")["x_mine"] is None
    told = list(own_metric.failures([{"patient": "A", "regions": {"WT": row}}]))
    assert told == ["x_mine of A, WT: ValueError: odd"]


def test_the_file_gives_the_same_values_again_or_says_where_not(folder):
    mine = load(folder)
    kept = json.loads(json.dumps(row_of(mine)))
    patients = [{"patient": "A", "regions": {"WT": kept}}]
    assert not list(own_metric.disagreements(mine, patients))
    kept["own"]["mine"]["values"]["brats"] = 6.0
    (told,) = own_metric.disagreements(mine, patients)
    assert told == "patients.A.WT.x_mine (brats): recorded 6.0, its file gives 5.0"
