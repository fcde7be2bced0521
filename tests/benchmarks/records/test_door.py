"""One door for records: what comes in fits, and what does not is named in one line."""

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import fabricate
import pytest

from benchmarks import report
from benchmarks.__main__ import main
from benchmarks.comparison.compare import compare
from benchmarks.errors import UserError
from benchmarks.records import csv_table, door, record, recount, seal
from benchmarks.records.verify import mismatches
from benchmarks.scoring import aggregate, policies
from benchmarks.scoring.tally import Tally
from benchmarks.tables import cells, leaderboard_csv, markdown
from data_pipeline.splitting.split import Split

HUGE = 10**400


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Leave the figures out of pages: what is told of a record stands beside them."""
    monkeypatch.setattr(import_module("benchmarks.report.page"), "DRAWN", 0)


def edited(path, change, name="edited.json"):
    """Change a record on the disk, and take its seal off as an old one has none."""
    document = json.loads(path.read_text())
    document = {key: value for key, value in document.items() if key != "seal"} | {"schema": 1}
    change(document)
    path.with_name(name).write_text(json.dumps(document))
    return path.with_name(name)


def beside(tmp_path, change):
    """Return the comparison of a good record and a changed one of another model."""
    fabricate.archive([fabricate.a_record("unet")], tmp_path)
    other = record.write(fabricate.honest(fabricate.a_record("sa_unet")), tmp_path)
    edited(other, change, other.name)
    return compare(tmp_path)


def row(document):
    return document["patients"][0]["regions"]["lgg"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda one: one.update(command=5), "command: expected text"),
        (lambda one: one.update(error=["x"]), "error: expected an object"),
        (lambda one: one["run"].update(seed=True), "run.seed: expected a whole number"),
        (lambda one: one["run"].update(model="\ud800"), "run.model: expected text"),
        (lambda one: row(one).update(tp=HUGE), "regions.lgg.tp: expected a whole number"),
        (lambda one: row(one).update(hd95=1e300), "regions.lgg.hd95: expected a number"),
        (lambda one: row(one).update(slices=[[1, 2]]), "regions.lgg.slices: expected up to"),
        (lambda one: row(one).update(slices=[[1, 2, "3"]]), "regions.lgg.slices: expected up to"),
        (lambda one: row(one).update(status=["ok"]), "regions.lgg.status: expected 'ok'"),
        (lambda one: one["patients"][1].update(patient=["p"]), "patients[1].patient: expected"),
        (lambda one: one["patients"][1].pop("patient"), "patients[1].patient: is missing"),
        (lambda one: one.update(history=[{"val_dice": "high"}]), "history[0].val_dice: expected"),
        (lambda one: one.update(history={}), "history: expected a list"),
        (lambda one: one.update(calibration={"lgg": {"bins": [3]}}), "bins[0]: expected an object"),
        (lambda one: one.update(calibration={"lgg": {"ece": HUGE}}), "lgg.ece: expected a number"),
        (lambda one: one["cost"].update(gmacs=HUGE), "cost.gmacs: expected a number"),
        (lambda one: one["card"].update(claims=[{"metrics": {"dice": HUGE}}]), "metrics.dice"),
        (lambda one: one["environment"].update(machine={}), "environment.machine: expected"),
        (lambda one: one["data"].update(fingerprint=7), "data.fingerprint: expected"),
        (lambda one: one.update(schema=HUGE), "schema int is none of"),
        (lambda one: one["protocol"].update(evaluate=[]), "protocol.evaluate: expected an object"),
        (lambda one: one["protocol"]["evaluate"].update(policy="kind"), "protocol_digest: "),
    ],
)
def test_what_does_not_fit_is_named_with_its_place_and_left_out(tmp_path, change, named):
    comparison = beside(tmp_path, change)
    assert comparison.tables[0].models == ("unet",)
    (line,) = comparison.omissions()
    assert line.startswith(f"{fabricate.MACHINE}/sa_unet-quick-")
    assert named in line
    assert cells.for_markdown(line) in markdown.to_markdown(comparison).split("## Table 1")[0]
    assert "Left out" in report.page(comparison).split("Table 1:")[0]
    assert list(leaderboard_csv.rows(comparison))[-1] == {"status": "left out", "error": line}


@pytest.mark.parametrize("content", ['{"run": 5}', "7", "null", "[]", '{"schema": [1]}', ""])
def test_a_stray_json_ends_no_command(tmp_path, content, capsys):
    fabricate.archive([fabricate.a_record()], tmp_path)
    (tmp_path / "stray.json").write_text(content)
    assert main(["compare", "--results", str(tmp_path)]) == 0
    assert "Left out: stray.json: " in capsys.readouterr().out
    assert main(["report", "--results", str(tmp_path)]) == 0
    assert main(["verify", "--results", str(tmp_path)]) == 1
    assert "stray.json: is left out: " in capsys.readouterr().out


def test_unknown_fields_pass(tmp_path):
    def add(document):
        document["notes"] = {"by": ["somebody"]}
        document["data"]["site"] = None
        row(document)["volume"] = "large"

    assert compare_is_whole(beside(tmp_path, add))


def compare_is_whole(comparison):
    return comparison.left_out == {} and len(comparison.tables[0].models) == 2


def test_a_name_with_escapes_reaches_no_terminal(tmp_path, capsys):
    hostile = fabricate.a_record("unet", names=["\x1b[2J", "p"], dice=[0.5, 0.6])
    one = fabricate.honest(hostile)
    one.patients[0]["regions"]["lgg"]["status"] = "both_empty"
    record.write(one, tmp_path)
    (tmp_path / os.fsdecode(b"\xff\x1b[31m.json")).write_text("{")
    assert main(["verify", "--results", str(tmp_path)]) == 1
    assert main(["compare", "--results", str(tmp_path)]) == 0
    assert main(["report", "--results", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert "[2J" in told.out


def test_a_file_beyond_the_bound_is_not_opened(tmp_path, monkeypatch):
    path = tmp_path / "big.json"
    path.write_bytes(b"{")
    os.truncate(path, door.LARGEST + 1)  # sparse: it takes no disk
    monkeypatch.setattr(Path, "open", None)
    with pytest.raises(UserError, match="it has 64 MB; expected 64 MB at the most"):
        door.content(path)


def test_a_fifo_and_a_deep_document_are_no_records(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(UserError, match="no regular file"):
        door.content(tmp_path / "pipe.json")
    for deep in (b"[" * 30 + b"]" * 30, b'{"a":' * 30 + b"1" + b"}" * 30):
        with pytest.raises(UserError, match="up to 24 levels"):
            door.parsed(deep)
    assert door.parsed(b'["' + b"[" * 99 + b'", "\\"[["]') == ["[" * 99, '"[[']


def test_a_folder_that_may_not_be_listed_is_an_error(tmp_path, monkeypatch, capsys):
    fabricate.archive([fabricate.a_record()], tmp_path)
    allowed = os.scandir

    def scandir(path="."):
        if Path(path).name == fabricate.MACHINE:
            raise PermissionError(13, "Permission denied")
        return allowed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    for command in ("compare", "report", "verify"):
        assert main([command, "--results", str(tmp_path)]) == 2
        assert "Cannot list the results folder" in capsys.readouterr().err


@pytest.mark.thorough
def test_memory_stays_in_proportion_to_the_file(tmp_path):
    """20,000 patients, drawn 10,000 times over at once, would take 3.2 GB."""
    program = (
        "import resource, numpy as np; from benchmarks.comparison.judging import statistics; "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "statistics.resampled_means(np.ones((20_000, 1)), resamples=2_000); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert int(told.stdout) < 300_000  # KB; 640,000 at once


# Ranked only where the record agrees with itself


def perfect(document):
    for patient in document["patients"]:
        counts = patient["regions"]["lgg"]
        counts.update(tp=counts["tp"] + counts["fn"], fn=0, fp=0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (perfect, "patients.TCGA_000.lgg.tp: recorded"),
        (lambda one: one["protocol"]["train"].update(epochs=600), "protocol_digest: recorded"),
        (lambda one: one["protocol"]["data"].update(size=[256, 256]), "protocol_digest: recorded"),
        (lambda one: one["protocol"]["data"].update(leaky=True), "protocol_digest: recorded"),
        (lambda one: one["data"].update(leaky=True), "data.leaky: recorded True, the split is"),
        (lambda one: one["patients"].pop(), "data.n_test: recorded 6, there are 5"),
        (lambda one: one["quality"]["brats"]["lgg"].clear(), "quality.brats.lgg.patient: is"),
        (lambda one: row(one).pop("slices"), "quality.brats.lgg.slice"),
    ],
)
def test_what_verify_refuses_is_not_ranked(tmp_path, change, named):
    comparison = beside(tmp_path, change)
    assert comparison.tables[0].models == ("unet",)
    assert any(named in line for line in comparison.omissions())


def test_a_second_record_of_one_run_leaves_both_out_by_name(tmp_path):
    fabricate.archive([fabricate.a_record("unet")], tmp_path)
    first = record.write(fabricate.honest(fabricate.a_record("sa_unet")), tmp_path)
    better = fabricate.honest(fabricate.a_record("sa_unet", [0.99] * 6))
    (first.parent / "copy.json").write_text(record.to_json(better))
    comparison = compare(tmp_path)
    assert comparison.tables[0].models == ("unet",)
    one, other = comparison.omissions()
    assert one.startswith("bench-box/copy.json: the same run as bench-box/sa_unet-quick-")
    assert other.endswith(": the same run as bench-box/copy.json; keep one of them")
    comparison = compare(first.parent)
    assert len(comparison.left_out) == 2


def test_other_machines_seeds_and_precisions_are_other_runs(tmp_path):
    half = {**fabricate.environment(), "precision": "mixed_bfloat16"}
    records = [
        fabricate.a_record("unet"),
        fabricate.a_record("unet", seed=1),
        fabricate.a_record("unet", machine="another"),
        fabricate.a_record("sa_unet"),
    ]
    fabricate.archive(records, tmp_path)
    path = record.write(
        fabricate.honest(fabricate.a_record("sa_unet", environment=half)), tmp_path / "other"
    )
    path.rename(tmp_path / "half.json")
    assert compare(tmp_path).left_out == {}


# Splits


def with_split(**changes):
    sets = {"train": ["a", "b"], "val": ["c"], "test": fabricate.patients(6)} | changes
    digest = Split(tuple(sets["train"]), tuple(sets["val"]), tuple(sets["test"])).digest
    built = fabricate.a_record()
    counts = {f"n_{name}": len(one) for name, one in sets.items()}
    data = {**built.data, **counts, "split": sets, "split_digest": digest}
    return fabricate.honest(replace(built, data=data))


def test_the_digest_of_a_split_is_that_of_its_members():
    assert mismatches(with_split()) == []
    moved = with_split()
    moved.data["split"]["train"].remove("b")
    moved.data["n_train"] = 1
    assert [problem[:28] for problem in mismatches(moved)] == ["data.split_digest: recorded "]


def test_members_of_two_sets_and_strangers_among_the_patients_are_named():
    both = with_split(train=["a", "TCGA_000"])
    assert "data.split: TCGA_000 is in train and in test" in mismatches(both)
    strangers = with_split(test=fabricate.patients(5))
    assert "patients: are not those of the split's test set" in mismatches(strangers)


def test_a_patient_may_have_been_examined_twice():
    names = ["BraTS-GLI-00001-000", "BraTS-GLI-00001-001", "BraTS-GLI-00002-000"]
    built = fabricate.a_record(names=names, dice=[0.8, 0.7, 0.6])
    built.data.update(layout="brats", n_test=2)
    assert mismatches(fabricate.honest(built)) == []


# The seal


@pytest.fixture
def sealed():
    return record.to_json(fabricate.honest(fabricate.a_record(cost={"a": 1.0, "b": 1e-05})))


def test_a_seal_survives_a_reader_a_printer_and_another_python(sealed):
    document = json.loads(sealed)
    assert record.to_json(record.from_dict(document)) == sealed
    shuffled = dict(random.Random(0).sample(list(document.items()), len(document)))
    for text in (
        json.dumps(document),
        json.dumps(shuffled, indent=4, ensure_ascii=False),
        sealed.replace("\n", "\r\n"),
        sealed.replace('"a": 1.0', '"a": 1'),  # as JavaScript prints it
    ):
        assert seal.holds(text.encode(), json.loads(text))


def test_a_seal_is_the_digest_that_the_documentation_says(sealed):
    """Computed here in other words: the lines of the file without the seal's, 1.0 as 1."""
    import hashlib
    import re

    told = json.loads(sealed)["seal"]
    rest = "".join(line for line in sealed.splitlines(True) if not line.startswith(' "seal"'))
    rest = re.sub(r"\.0(?=[,\]}])", "", rest)
    assert told == hashlib.sha256(rest.encode()).hexdigest()


def test_a_careless_edit_breaks_the_seal(tmp_path, sealed, capsys):
    path = tmp_path / "one.json"
    path.write_text(sealed.replace('"hd95": 9.', '"hd95": 8.', 1).replace("Xeon", "Epyc"))
    assert main(["verify", "--results", str(tmp_path)]) == 1
    assert "seal: the content was changed after it was written" in capsys.readouterr().out
    assert next(iter(compare(tmp_path).left_out.values())).startswith("seal: ")
    document = json.loads(sealed)
    del document["seal"]
    path.write_text(json.dumps(document))
    assert main(["verify", "--results", str(tmp_path)]) == 1


def test_records_from_before_seals_are_ranked_and_told(tmp_path, capsys):
    path = record.write(fabricate.honest(fabricate.a_record()), tmp_path)
    edited(path, lambda one: None, path.name)
    assert main(["verify", "--results", str(tmp_path)]) == 0
    assert "1 are unsealed" in capsys.readouterr().out
    comparison = compare(tmp_path)
    assert len(comparison.tables) == 1
    assert "seal" not in markdown.to_markdown(comparison)


# The arrays say what the rows say


def test_a_tally_says_what_aggregate_says():
    generator = random.Random(0)
    for case in range(60):
        patients = [
            {"patient": str(n), "regions": {r: a_row(generator, case) for r in ("WT", "ET")}}
            for n in range(generator.randint(1, 5))
        ]
        tally = Tally.of(patients)
        for policy in policies.POLICIES:
            expected = aggregate.summary(patients, policy)
            assert flat(recount.summary(tally, policy)) == pytest.approx(flat(expected))
            values = tally.values[policy]
            for place, one in enumerate(patients):
                told = policies.values(one["regions"]["ET"], policy)
                column = [told.get(name) for name in policies.METRICS]
                assert values[place, 1] == pytest.approx(
                    [float("nan") if value is None else value for value in column],
                    nan_ok=True,
                    abs=0,
                    rel=0,
                )


def a_row(generator, case):
    tp, fp, fn = (generator.choice((0, 0, generator.randint(1, 50))) for _ in range(3))
    told = {"tp": tp, "fp": fp, "fn": fn, "tn": 200 - tp - fp - fn, "diagonal_mm": 90.0}
    reference, prediction = tp + fn > 0, tp + fp > 0
    names = {(True, True): "ok", (True, False): "pred_empty", (False, True): "ref_empty"}
    told["status"] = names.get((reference, prediction), "both_empty")
    if case % 3:
        ok = told["status"] == "ok"
        for name in (*policies.DISTANCES, *policies.SURFACE_SHARES):
            told[name] = generator.random() if ok else None
    if case % 2:
        count = generator.randint(0, 3)
        told["lesions"] = [
            {"dice": generator.random(), "hd95": generator.choice((None, 3.5))}
            for _ in range(count)
        ]
        told["lesion_false_positives"] = generator.randint(0, 2)
    if case % 5:
        told["slices"] = [[tp, fp, fn], [0, 0, 0]] if tp + fp + fn <= 100 else [[tp, fp, fn]]
    return told


def flat(tree, place=""):
    if not isinstance(tree, dict):
        return {place: float("-inf") if tree is None else tree}
    return {k: v for name, one in tree.items() for k, v in flat(one, f"{place}/{name}").items()}


# Every CSV is written by one function


def test_no_cell_of_any_sheet_is_a_formula():
    rows = [{"case": "=cmd()", "region": "+1", "n": -2, "x": "\t@y", "z": "\udcff", "b": True}]
    rows += [{"case": "-", "region": "a\nb", "n": None, "=head": 1.5}]
    lines = csv_table.text(rows).splitlines()
    assert lines == [
        "case,region,n,x,z,b,'=head",
        "'=cmd(),'+1,-2,'@y,\\udcff,true,",
        "'-,a b,,,,,1.5",
    ]


@pytest.mark.parametrize("command", [["compare", "--json"], ["verify", "--json"], ["verify"]])
def test_a_reader_that_leaves_ends_a_command_quietly(tmp_path, command):
    fabricate.archive([fabricate.a_record()], tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *command, "--results", str(tmp_path)],
        cwd=Path(__file__).parents[3],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
