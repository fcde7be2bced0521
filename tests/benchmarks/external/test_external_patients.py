"""Patients of another site: scored without a training, refused where they were trained on."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tiny

import zoo
from benchmarks.__main__ import main
from benchmarks.comparison import external
from benchmarks.errors import UserError
from benchmarks.external import evaluate, patients
from benchmarks.predicting.trained_network import Trained
from benchmarks.records import record, verify
from benchmarks.tables import external_rows
from benchmarks.training.cut import Cut
from data_pipeline.phantom.write import write
from zoo import weights

FACTS = {"machine": "here"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network that was never trained, with all that a run writes into its weights file."""
    root = tmp_path_factory.mktemp("external")
    data = tiny.load(root / "cache")
    used = Trained.of(tiny.PROTOCOL, data, Cut())
    for seed in (0, 1):
        model = zoo.create("unet", (16, 16, 3), 1, width=0.0625)
        weights.save(model, root / f"{seed}.safetensors", used.as_json())
    write(root / "site", "nnunet", 4, 16, seed=5)
    return root


def asked(folder: Path, **changes) -> evaluate.Asked:
    values = {"networks": str(folder / "0.safetensors"), "data": folder / "site"}
    return evaluate.Asked(**{**values, "cache": folder / "cache", **changes})


def test_all_patients_of_a_site_are_scored_and_the_record_verifies(folder, tmp_path):
    found = evaluate.evaluate(asked(folder, name="B"), FACTS)
    assert len(found.patients) == 4
    assert found.run["external"]["site"] == "B"
    assert found.run["external"]["seen"] == 0
    path = record.write(found, tmp_path)
    assert "-at_B-" in path.name
    assert not verify.mismatches(record.read(path))
    row = external.row(found)
    dice = [next(iter(p["regions"].values())) for p in found.patients]
    by_hand = [2 * r["tp"] / (2 * r["tp"] + r["fp"] + r["fn"]) for r in dice]
    assert row.dice == pytest.approx(np.mean(by_hand))
    assert row.internal is None


def test_an_ensemble_answers_the_mean(folder):
    both = f"{folder / '0.safetensors'},{folder / '1.safetensors'}"
    together = evaluate.evaluate(asked(folder, networks=both), FACTS)
    assert together.run["model"] == "unet x2"
    assert len(together.run["external"]["weights"]) == 2


def test_patients_that_were_trained_on_are_refused_by_their_images(folder, monkeypatch):
    home = next((folder / "cache" / "phantoms").iterdir())
    with pytest.raises(UserError, match="was trained on Phantom"):
        evaluate.evaluate(asked(folder, data=home), FACTS)
    forced = evaluate.evaluate(asked(folder, data=home, force=True), FACTS)
    known = patients.load(evaluate.networks(asked(folder))[0].trained, home, folder / "cache")
    assert 0 < forced.run["external"]["seen"] < len(known.store.cases)
    assert external.row(forced).seen == forced.run["external"]["seen"]


def test_the_internal_figure_and_the_drop(folder):
    found = evaluate.evaluate(asked(folder), FACTS)
    found.run["external"]["internal"] = {"WT": [0.5, 0.7, 0.9]}
    row = external.row(found)
    assert row.internal == pytest.approx(0.7)
    assert row.drop == pytest.approx(row.dice - 0.7)
    assert row.drop_lower < row.drop < row.drop_upper


def test_it_stands_in_a_table_of_its_own(folder, tmp_path, capsys):
    record.write(evaluate.evaluate(asked(folder, name="<b>B"), FACTS), tmp_path)
    assert main(["compare", "--results", str(tmp_path)]) == 0
    assert "External patients" in capsys.readouterr().out
    assert "## External patients" in (tmp_path / "leaderboard.md").read_text()
    assert main(["report", "--results", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "External patients" in page
    assert "<b>B" not in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": Path("/nowhere/at/all")}, "there is none"),
        ({"networks": ","}, "expected a run's folder"),
        ({"networks": "/nowhere"}, "expected a run's folder"),
    ],
)
def test_what_can_not_be_scored_is_refused(folder, changes, said):
    with pytest.raises(UserError, match=said):
        evaluate.evaluate(asked(folder, **changes), FACTS)


def test_volumes_of_other_voxels_are_resampled_and_counted(folder, tmp_path):
    spec = dataclasses.replace(tiny.PROTOCOL.data, rank=3, size=(16, 16, 16), slices="all")
    protocol = dataclasses.replace(tiny.PROTOCOL, data=spec)
    used = Trained.of(protocol, tiny.load(folder / "cache", spec), Cut())
    model = zoo.create("unet", (16, 16, 16, 3), 1, width=0.0625)
    weights.save(model, tmp_path / "solid.safetensors", used.as_json())
    write(tmp_path / "site", "nnunet", 3, 24, seed=5)
    both = {"networks": str(tmp_path / "solid.safetensors"), "data": tmp_path / "site"}
    found = evaluate.evaluate(asked(folder, **both), FACTS)
    assert found.run["external"]["resampled"] == 3
    assert "3 of the scans were resampled" in external_rows.rows([external.row(found)])[0][-1]
    assert not verify.mismatches(record.read(record.write(found, tmp_path)))
    as_they_are = evaluate.evaluate(asked(folder, **both, any_spacing=True), FACTS)
    assert "resampled" not in as_they_are.run["external"]
    assert as_they_are.patients != found.patients


def test_old_weights_without_hashes_are_marked(folder, tmp_path):
    header = weights.header(folder / "0.safetensors")
    about = {name: value for name, value in header.about.items() if name != "images"}
    model = weights.restore(folder / "0.safetensors")
    weights.save(model, tmp_path / "old.safetensors", about)
    found = evaluate.evaluate(asked(folder, networks=str(tmp_path / "old.safetensors")), FACTS)
    assert not external.row(found).checked
    assert json.dumps(found.run)
