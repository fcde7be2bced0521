"""A network in every runtime: figures against those of the hand, sheets beside their records."""

import json
from dataclasses import asdict, replace

import fabricate
import numpy as np
import pytest
import tiny

import zoo
from benchmarks.__main__ import main
from benchmarks.comparison.compare import compare
from benchmarks.comparison.reading import runtime_sheet
from benchmarks.comparison.reading.runtime_sheet import Measured, Sheet
from benchmarks.errors import UserError
from benchmarks.predicting import trained_network
from benchmarks.predicting.own_patients import Place
from benchmarks.predicting.trained_network import Trained
from benchmarks.records import record
from benchmarks.runtimes import asked_network, engines, measured
from benchmarks.runtimes.asked_network import Asked
from benchmarks.runtimes.engines import Engine
from benchmarks.tables import markdown
from benchmarks.training.cut import Cut
from data_pipeline import Cohort
from zoo import weights

SHEET = Sheet(
    "unet", "quick", "a" * 64, "a processor", 1, 6,
    (
        Measured("keras", 8.5, 9.0, 7.79, 0.8),
        Measured("openvino, bf16", 5.5, 6.0, 7.84, 0.79, -0.01, -0.03, 0.01),
        Measured("onnxruntime", refused="onnx is missing"),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    spec = replace(tiny.PROTOCOL.data, phantom=Cohort(patients=14, size=16))
    return tiny.load(tmp_path_factory.mktemp("cache"), spec)


@pytest.fixture(scope="module")
def asked(data):
    return Asked(
        zoo.create("unet", (16, 16, 3), 1, width=0.0625),
        "unet",
        trained=Trained.of(replace(tiny.PROTOCOL, data=data.spec), data, Cut()),
        data=data,
    )


def test_a_runtime_is_scored_by_the_masks_it_gives(asked, data, monkeypatch):
    """One answers the reference of every second patient; the other finds nothing at all."""
    answers = [one.reference > 0 for one in data.patients("test")]
    turn = iter(answers)

    def knowing(batch):
        return np.ones((len(batch), 16, 16, 1), np.float32)

    def blind(batch):
        return np.zeros((len(batch), 16, 16, 1), np.float32)

    def broken(batch):
        raise RuntimeError("no such\n operator")

    ways = {"keras": knowing, "blind": blind, "broken": broken}
    monkeypatch.setattr(
        engines, "engines", lambda *_: (Engine(name, way, 1.5) for name, way in ways.items())
    )
    rows = {row.runtime: row for row in measured.measure(asked, 0.01).rows}
    expected = [2 * next(turn).sum() for _ in answers]
    full = [n / (n / 2 + answer.size) for n, answer in zip(expected, answers, strict=True)]
    assert rows["keras"].dice == pytest.approx(np.mean(full), abs=1e-6)
    assert rows["keras"].difference is None
    nothing = np.mean([not answer.any() for answer in answers])
    assert rows["blind"].dice == pytest.approx(nothing)
    assert rows["blind"].difference == pytest.approx(nothing - np.mean(full), abs=1e-6)
    assert rows["blind"].least <= rows["blind"].difference <= rows["blind"].most
    assert rows["blind"].p50 > 0
    assert rows["broken"] == Measured("broken", refused="no such operator")


def test_every_runtime_that_is_installed_answers_as_keras_does(asked):
    sheet = measured.measure(asked, 0.01)
    rows = {row.runtime: row for row in sheet.rows}
    assert list(rows)[:2] == ["keras", "XLA"]
    assert len(rows) == 6
    assert sheet.patients == asked.data.n_test
    for row in rows.values():
        if row.refused:
            assert row.dice is row.p50 is None
            assert "pip install" in row.refused or "bf16" in row.refused
        elif row.runtime in ("XLA", "onnxruntime", "openvino, f32"):
            assert row.difference == pytest.approx(0, abs=1e-3)
            assert 0 < row.p50 <= row.p95
            assert row.megabytes == pytest.approx(rows["keras"].megabytes, rel=0.5)
    assert rows["keras"].megabytes == pytest.approx(4e-6 * asked.model.count_params())


def test_without_data_there_is_speed_and_no_dice(asked):
    rows = measured.measure(replace(asked, data=None), 0.01).rows
    assert rows[0].p50 > 0
    assert {row.dice for row in rows} == {None}
    assert not next(row for row in rows if "int8" in row.runtime).p50


def test_a_sheet_lies_beside_its_record_and_comes_back_as_it_was(tmp_path):
    path = runtime_sheet.path_of(tmp_path / "pc" / "unet-quick-s0.json")
    runtime_sheet.write(SHEET, path)
    assert path == tmp_path / "pc" / "runtimes" / "unet-quick-s0.json"
    assert runtime_sheet.read(path) == SHEET
    assert runtime_sheet.paths([tmp_path]) == runtime_sheet.paths([tmp_path / "pc"]) == [path]
    assert record.paths(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        json.dumps(asdict(SHEET) | {"rows": [{"runtime": "x", "ms": 3}]}),
        json.dumps(asdict(SHEET) | {"rows": [{"runtime": "x", "p50": "fast"}]}),
        json.dumps(asdict(SHEET) | {"model": 3}),
    ],
)
def test_a_damaged_sheet_is_one_sentence(tmp_path, content):
    path = tmp_path / "one.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"one\.json: .*(JSON|remove the file)"):
        runtime_sheet.read(path)


def test_tables_show_the_runtimes_of_networks_that_they_hold(tmp_path, capsys):
    one = fabricate.a_record(training={"weights_sha256": "a" * 64, "epochs": 60, "seconds": 9.0})
    path = record.write(fabricate.honest(one), tmp_path)
    runtime_sheet.write(SHEET, runtime_sheet.path_of(path))
    other = runtime_sheet.path_of(path.with_name("other.json"))
    runtime_sheet.write(replace(SHEET, weights_sha256="b" * 64), other)
    other.with_name("damaged.json").write_text("{")
    comparison = compare(tmp_path)
    assert comparison.runtimes == (SHEET,)
    (line,) = comparison.omissions()
    assert line.startswith("bench-box/runtimes/damaged.json: it is not JSON")
    told = markdown.to_markdown(comparison)
    row = "| unet | openvino, bf16 | 5.50 | 6.00 | 7.84 | 0.790 (6) | −0.0100 [−0.0300, +0.0100] |"
    assert row in told.replace("\\", "")
    assert "onnx is missing" in told
    assert main(["compare", "--results", str(tmp_path)]) == 0
    assert "Runtimes" in capsys.readouterr().out


def test_a_run_is_asked_by_its_folder_and_its_sheet_is_written(asked, tmp_path, capsys):
    one = fabricate.a_record(
        data=fabricate.a_record().data | {"split_digest": asked.data.split_digest}
    )
    path = record.write(one, tmp_path)
    folder = path.parent / "runs" / path.stem
    weights.save(asked.model, folder / trained_network.WEIGHTS, asked.trained.as_json())
    command = ["profile", str(folder), "--runtimes", "--seconds", ".01", "--json"]
    assert main([*command, "--cache", str(tmp_path / "cache")]) == 0
    sheet = runtime_sheet.read(runtime_sheet.path_of(path))
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(asdict(sheet)))
    assert sheet.patients == asked.data.n_test
    assert sheet.weights_sha256 == weights.header(folder / trained_network.WEIGHTS).sha256


def test_other_backends_are_refused(capsys):
    assert main(["profile", "unet", "--runtimes", "--backend", "jax"]) == 2
    assert "leave --backend" in capsys.readouterr().err


def test_the_folds_of_a_preset_are_asked_as_one_network_of_their_mean(asked, tmp_path):
    paths = [tmp_path / f"{place}.safetensors" for place in (0, 1)]
    for path in paths:
        model = zoo.create("unet", (16, 16, 3), 1, width=0.0625)
        weights.save(model, path, asked.trained.as_json())
    both = asked_network.of_run(",".join(map(str, paths)), Place(None))
    assert both.name == "unet x2"
    x = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
    each = [np.asarray(weights.restore(path)(x)) for path in paths]
    assert np.abs(each[0] - each[1]).max() > 0.001
    np.testing.assert_allclose(np.asarray(both.model(x)), np.mean(each, axis=0), atol=1e-6)
