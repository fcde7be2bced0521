"""The harness from Python: the same numbers as by files and by hand."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny
from sklearn.metrics import brier_score_loss

import benchmarks
import zoo
from benchmarks.ensembles import panel
from benchmarks.errors import UserError
from benchmarks.predicting import predict as by_file
from benchmarks.predicting.trained_network import Trained
from benchmarks.python import networks
from benchmarks.records import record
from benchmarks.training.cut import Cut
from data_pipeline import sources
from data_pipeline.cases.read_case import read_case
from data_pipeline.phantom.write import write
from zoo import weights

RESULTS = Path(__file__).parents[3] / "results"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("python")
    used = Trained.of(tiny.PROTOCOL, tiny.load(root / "cache"), Cut())
    model = zoo.create("unet", (16, 16, 3), 1, width=0.0625)
    weights.save(model, root / "w.safetensors", used.as_json())
    write(root / "site", "nnunet", 3, 16, seed=5)
    return root


def test_arrays_are_answered_as_files_are(folder):
    case = sources.find(folder / "site").cases[0]
    volume = read_case(case)
    arrays = {name: volume.image[..., n] for n, name in enumerate(volume.channels)}
    path = folder / "w.safetensors"
    labels = benchmarks.predict(path, arrays, spacing=volume.spacing)
    chances = benchmarks.predict(path, arrays, spacing=volume.spacing, probabilities=True)
    known = Trained.of(tiny.PROTOCOL, tiny.load(folder / "cache"), Cut())
    expected = by_file.predict(panel.seated([path]), known, case)
    np.testing.assert_array_equal(labels, expected.labels)
    assert labels.shape == volume.image.shape[:3]
    for region, chance in expected.probabilities.items():
        np.testing.assert_array_equal(chances[region], chance)


def lesion(path, arrays) -> np.ndarray:
    (found,) = benchmarks.predict(path, arrays, probabilities=True).values()
    return found


def test_networks_are_built_once_for_many_scans_and_anew_for_another_file(folder, tmp_path):
    path = tmp_path / "w.safetensors"
    shutil.copy(folder / "w.safetensors", path)
    chance = np.random.default_rng(0)
    arrays = {name: chance.random((2, 16, 16)) for name in ("t1", "flair", "t1ce")}
    networks._network.cache_clear()
    before = [lesion(path, arrays) for _ in range(3)]
    assert networks._network.cache_info().misses == 1
    np.testing.assert_array_equal(before[0], before[2])
    header = weights.header(path)
    keras.utils.set_random_seed(99)
    weights.save(zoo.create("unet", (16, 16, 3), 1, width=0.0625), path, header.about)
    assert np.abs(lesion(path, arrays) - before[0]).max() > 0.01


@pytest.mark.parametrize(
    ("arrays", "spacing", "said"),
    [
        ({"t1": np.zeros((2, 8, 8))}, (1, 1, 1), "Add flair, t1ce"),
        (dict.fromkeys(("t1", "flair", "t1ce"), np.zeros((8, 8))), (1, 1, 1), "single slice"),
        (dict.fromkeys(("t1", "flair", "t1ce"), np.full((1, 8, 8), np.nan)), (1, 1, 1), "NaN"),
        (dict.fromkeys(("t1", "flair", "t1ce"), np.zeros((1, 8, 8))), (1, 0, 1), "above 0"),
    ],
)
def test_arrays_that_can_not_be_scans_are_refused(folder, arrays, spacing, said):
    with pytest.raises(UserError, match=said):
        benchmarks.predict(folder / "w.safetensors", arrays, spacing=spacing)


def test_evaluate_writes_the_record_it_returns(folder, tmp_path):
    found = benchmarks.evaluate(
        folder / "w.safetensors", folder / "site", name="B", results=tmp_path, cache=folder / "c"
    )
    assert record.read(record.paths(tmp_path)[0]) == found
    assert set(benchmarks.frame(tmp_path)["site"]) == {"B"}


def test_a_frame_holds_a_row_a_patient_and_region_of_the_shipped_records():
    paths = record.paths(RESULTS)[:3]
    made = benchmarks.frame(*paths)
    rows = [
        (patient["patient"], region, row)
        for path in paths
        for patient in json.loads(path.read_text())["patients"]
        for region, row in patient["regions"].items()
    ]
    assert len(made) == len(rows)
    assert list(zip(made["patient"], made["region"], strict=True)) == [row[:2] for row in rows]
    for dice, (_, _, row) in zip(made["dice"], rows, strict=True):
        whole = 2 * row["tp"] + row["fp"] + row["fn"]
        assert dice == pytest.approx(2 * row["tp"] / whole if whole else 1.0)
    assert made["dice"].dtype == float


def test_reliability_by_hand():
    truth = np.array([0, 0, 1, 1, 1, 0])
    chance = np.array([0.05, 0.05, 0.95, 0.95, 0.55, 0.55])
    points = benchmarks.reliability(truth, chance, bins=10)
    assert points["count"].tolist() == [2, 2, 2]
    np.testing.assert_allclose(points["confidence"], [0.05, 0.55, 0.95])
    np.testing.assert_allclose(points["frequency"], [0, 0.5, 1])
    assert points.attrs["ece"] == pytest.approx((0.05 + 0.05 + 0.05) / 3)
    assert points.attrs["brier"] == pytest.approx(brier_score_loss(truth, chance))
    with pytest.raises(UserError, match="from 0 to 1"):
        benchmarks.reliability(truth, chance * 3)
    with pytest.raises(UserError, match="for each voxel"):
        benchmarks.reliability(truth[:3], chance)


def test_a_model_that_is_not_there_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="Did you mean 'unet'"):
        benchmarks.bench("unett")


@pytest.mark.slow
def test_bench_returns_the_record(tmp_path):
    found = benchmarks.bench("unet", "smoke", results=tmp_path, cache=tmp_path / "cache")
    assert found.status == "ok"
    assert len(benchmarks.frame(tmp_path)) == len(found.patients)
