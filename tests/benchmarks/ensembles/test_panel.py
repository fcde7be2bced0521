"""Networks that see a scan differently, as one: means and votes on the scan's own grid, by hand."""

from dataclasses import replace
from pathlib import Path

import keras
import nibabel
import numpy as np
import pytest
import tiny

import benchmarks
import zoo
from benchmarks.__main__ import main
from benchmarks.ensembles.panel import Member, Panel
from benchmarks.errors import UserError
from benchmarks.external import evaluate
from benchmarks.predicting import trained_network
from benchmarks.predicting.trained_network import Trained
from benchmarks.protocols.protocol import Evaluation, Protocol
from benchmarks.training.cut import Cut
from data_pipeline import Cohort, DataSpec
from data_pipeline.phantom import write
from zoo import weights

COHORT = Cohort(patients=6, size=16)
CHANNELS = ("t1", "flair", "t1ce", "t2")
SLICES = DataSpec(size=(16, 16), channels=CHANNELS[:3], target="labels", phantom=COHORT)
VOLUMES = DataSpec(rank=3, size=(16, 16, 16), channels=CHANNELS, target="labels", phantom=COHORT)
TO_OWN = np.ones((1, 2, 2, 1), np.float32)  # a pixel of a coarse answer is four of the scan


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two untrained networks, one of slices on three channels, one of volumes on four."""
    root = tmp_path_factory.mktemp("panel")
    for name, spec in (("slices", SLICES), ("volumes", VOLUMES)):
        data = tiny.load(root / "cache", spec)
        keras.utils.set_random_seed(len(name))
        model = zoo.create("unet", data.input_shape, data.classes, width=0.0625)
        protocol = Protocol("test", spec, evaluate=Evaluation(surfaces=False, batch_size=4))
        used = Trained.of(protocol, data, Cut(smallest=0.0))
        about = {**used.as_json(), "images": []}
        weights.save(model, root / f"{name}.safetensors", about)
    return root


@pytest.fixture(scope="module")
def cohort(folder):
    return write.ensure(folder / "scans", "brats", 2, 16, 7)


def both(folder: Path) -> str:
    return f"{folder / 'slices.safetensors'},{folder / 'volumes.safetensors'}"


def load(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)


def told(
    folder: Path, network: str, cohort: Path, out: str, *options: str
) -> dict[str, np.ndarray]:
    words = [network, str(cohort), "--out", str(folder / out), *options]
    assert main(["predict", *words, "--probabilities", "--smallest", "0"]) == 0
    return {path.name: load(path) for path in (folder / out).glob("*.nii.gz")}


def test_slices_and_volumes_are_averaged_on_the_scans_own_grid(folder, cohort, tmp_path):
    apart = [
        told(tmp_path, str(folder / f"{name}.safetensors"), cohort, name)
        for name in ("slices", "volumes")
    ]
    joint = told(tmp_path, both(folder), cohort, "both", "--uncertainty")
    regions = [name for name in joint if name.removesuffix(".nii.gz").endswith(("WT", "TC", "ET"))]
    assert len(regions) == 6
    for name in regions:
        np.testing.assert_allclose(joint[name], (apart[0][name] + apart[1][name]) / 2, atol=1e-6)
    for case in ("Phantom_00001", "Phantom_00002"):
        whole = f"{case}_WT.nii.gz"
        spread = np.abs(apart[0][whole] - apart[1][whole]) / 2  # of two values
        found = joint[f"{case}_disagreement.nii.gz"]
        np.testing.assert_allclose(found, spread, atol=1e-6)
        assert found.max() > 0.001, "two untrained networks that agree would show nothing"


def test_they_are_scored_and_asked_from_python_as_they_predict(folder, cohort, tmp_path):
    masks = told(tmp_path, both(folder), cohort, "both")
    asked = evaluate.Asked(both(folder), cohort, cache=folder / "cache")
    found = evaluate.evaluate(asked, {"machine": "here"})
    assert found.run["model"] == "unet x2"
    for patient in found.patients:
        name = patient["patient"]
        truth, mask = load(cohort / name / f"{name}_seg.nii.gz") > 0, masks[f"{name}.nii.gz"] > 0
        row = patient["regions"]["WT"]
        assert row["tp"] == np.count_nonzero(truth & mask)
        assert row["fp"] == np.count_nonzero(~truth & mask)
    scans = {one: load(cohort / name / f"{name}_{one}.nii.gz") for one in CHANNELS}
    spacing = nibabel.load(cohort / name / f"{name}_t1.nii.gz").header.get_zooms()[::-1]
    # files are (x, y, z) from right to left, from back to face; arrays (z, y, x) the other way
    arrays = {one: scan.transpose(2, 1, 0) for one, scan in scans.items()}
    answer = benchmarks.predict(both(folder), arrays, spacing)
    mine = np.where(answer == 3, 4, answer).transpose(2, 1, 0)
    np.testing.assert_array_equal(mine, masks[f"{name}.nii.gz"])


def test_a_scan_lacks_what_one_of_them_needs(folder, cohort, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for path in cohort.glob("Phantom_00001/*.nii.gz"):
        if "t2" not in path.name:
            (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    words = ["predict", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert main([*words[:1], str(folder / "slices.safetensors"), *words[1:]]) == 0
    assert main([*words[:1], both(folder), *words[1:-1], str(tmp_path / "none")]) == 2
    assert "t2" in capsys.readouterr().err


def test_one_model_does_not_hold_two_ways_to_see(folder, tmp_path, capsys):
    words = ["export", both(folder), "--format", "savedmodel", "--out", str(tmp_path / "both")]
    assert main(words) == 2
    assert "one model can't hold both" in capsys.readouterr().err


def test_networks_of_other_labels_are_no_panel(folder, tmp_path):
    header = weights.header(folder / "slices.safetensors")
    regions = [["tumour", [1, 2, 3]], *header.about["regions"][1:]]
    model = weights.restore(folder / "slices.safetensors")
    weights.save(model, tmp_path / "other.safetensors", {**header.about, "regions": regions})
    networks = f"{folder / 'slices.safetensors'},{tmp_path / 'other.safetensors'}"
    with pytest.raises(UserError, match="was taught other labels"):
        evaluate.networks(evaluate.Asked(networks, tmp_path))


@pytest.fixture(scope="module")
def used(folder):
    kinds = {"slices": 0.5, "volumes": 0.3}
    read = {name: trained_network.read(folder / f"{name}.safetensors") for name in kinds}
    return [replace(read[name], threshold=threshold) for name, threshold in kinds.items()]


@pytest.mark.parametrize(
    ("way", "expected"),
    [("mean", (0.9 + 0.4 + 0.2) / 3), ("majority", 2 / 3)],
)
def test_each_sight_is_read_once_and_each_network_votes_by_its_own_threshold(used, way, expected):
    fine, coarse = used
    read: list[int] = []

    def look(trained):
        read.append(trained.spec.rank)
        return (
            trained.spec.rank,
            lambda answer: answer if trained.spec.rank == 2 else answer * TO_OWN,
        )

    def saying(value, shape):
        return lambda rank: np.full((1, *shape, 1), value, np.float32)

    members = [
        Member(fine, saying(0.9, (2, 2))),
        Member(coarse, saying(0.4, (1, 1))),  # above its own threshold of .3, below that of .5
        Member(fine, saying(0.2, (2, 2))),
    ]
    judged = Panel(members, way)
    found = judged(look)
    assert read == [2, 3]
    np.testing.assert_allclose(found, np.full((1, 2, 2, 1), expected), atol=1e-6)
    np.testing.assert_allclose(judged.disagreement(None), np.std([0.9, 0.4, 0.2]), atol=1e-6)
