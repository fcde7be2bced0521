"""A metric of one's own in records: shown by region and in the CSV, verified where its file is."""

import csv
import hashlib
import io
import json
from dataclasses import replace

import fabricate
import pytest

from benchmarks.__main__ import main
from benchmarks.comparison.compare import compare
from benchmarks.protocols.protocol import digest_of
from benchmarks.records import record
from benchmarks.tables import leaderboard_csv, markdown

MINE = (
    "def facts(a, b, c): return {'first': 1.0}\ndef value(row, policy): return row['first'] * 2\n"
)
TEXT = f"metrics.py:mine@{hashlib.sha256(MINE.encode()).hexdigest()}"


def a_record(model="unet", values=(2.0, 4.0)):
    one = fabricate.a_record(model, [0.6, 0.8], regions=("WT", "TC"))
    one.protocol.setdefault("evaluate", {})["metrics"] = [TEXT]
    for patient, value in zip(one.patients, values, strict=True):
        for row in patient["regions"].values():
            told = {"facts": {"first": value / 2}, "values": {"brats": value, "exclude": value}}
            row["own"] = {"mine": told}
    return fabricate.honest(replace(one, protocol_digest=digest_of(one.protocol)))


@pytest.fixture
def results(tmp_path):
    (tmp_path / "metrics.py").write_text(MINE)
    record.write(a_record(), tmp_path / "results")
    return tmp_path / "results"


def verified(results, *further, code=0):
    assert main(["verify", "--results", str(results), *further]) == code


def test_it_is_shown_by_region_and_in_the_csv_and_ranks_nothing(results):
    record.write(a_record("sa_unet", (100.0, 100.0)), results)
    comparison = compare(results)
    text = markdown.to_markdown(comparison)
    assert "| Lesion HD95 (mm) | x_mine |" in text
    assert comparison.tables[0].own == ("x_mine",)
    rows = list(csv.DictReader(io.StringIO(leaderboard_csv.to_csv(comparison))))
    told = {row["model"]: row for row in rows if row["region"] == "WT"}
    assert float(told["unet"]["x_mine"]) == 3.0
    assert told["unet"]["x_mine_n_used"] == "2"
    assert told["unet"]["rank"] == told["sa_unet"]["rank"]


def test_tables_without_one_are_as_they_were(tmp_path):
    fabricate.archive([fabricate.a_record("unet", [0.6, 0.8])], tmp_path)
    text = leaderboard_csv.to_csv(compare(tmp_path))
    assert text.splitlines()[0].endswith("p_folds,detectable")


def test_a_frame_has_it(results):
    import benchmarks

    assert benchmarks.frame(results)["x_mine"].tolist() == [2.0, 2.0, 4.0, 4.0]


def test_its_means_are_verified_without_the_file_and_its_values_with_it(results, capsys):
    verified(results)
    assert "x_mine (metrics.py, SHA-256" in (said := capsys.readouterr().out)
    assert "unverified in 1" in said
    verified(results, "--metric", str(results.parent / "metrics.py"))
    assert "unverified" not in capsys.readouterr().out
    verified(results, "--json")
    assert list(json.loads(capsys.readouterr().out)["unverified"].values()) == [1]


def test_a_value_that_the_file_does_not_give_is_named(results, capsys):
    one = a_record(values=(2.0, 4.0))
    one.patients[0]["regions"]["WT"]["own"]["mine"]["facts"]["first"] = 7.0
    record.write(one, results)
    verified(results)
    verified(results, "--metric", str(results.parent / "metrics.py"), code=1)
    assert "its file gives 14.0" in capsys.readouterr().out


def test_a_changed_mean_is_named_without_the_file(results, capsys):
    one = a_record()
    one.quality["brats"]["WT"]["patient"]["x_mine"]["mean"] = 9.0
    record.write(one, results)
    verified(results, code=1)
    assert "x_mine.mean: recorded 9.0" in capsys.readouterr().out


@pytest.mark.parametrize(("content", "said"), [(None, "can't be read"), ("x = 1\n", "no record")])
def test_a_file_of_another_metric_is_refused(results, capsys, content, said):
    path = results.parent / "other.py"
    if content:
        path.write_text(content)
    verified(results, "--metric", str(path), code=2)
    assert said in capsys.readouterr().err
