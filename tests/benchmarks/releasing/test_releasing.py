"""From a run to a preset, and from a preset's name to masks, as a user types it."""

import json
import re
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from benchmarks.__main__ import main
from benchmarks.ensembles import ensemble
from benchmarks.inference.predictor import Predictor
from benchmarks.predicting import trained_network
from benchmarks.releasing import halving, made, pictures
from benchmarks.running import run
from benchmarks.running.job import Job
from benchmarks.training import cut
from data_pipeline.phantom import write
from zoo import weights
from zoo.presets import home, manifest, shelf


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run's folder."""
    root = tmp_path_factory.mktemp("results")
    path = run.run(Job("unet", "smoke", results=str(root), cache=str(root / "cache")))
    return path.parent / "runs" / path.stem


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write.ensure(tmp_path_factory.mktemp("scans"), "brats", 4, 32, 3)


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(shelf, "SHIPPED", tmp_path / "shipped")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def named(folder, cohort):
    words = ["weights", "add", str(folder), "--name", "unet.test", "--summary", "A test"]
    assert main([*words, "--scans", str(cohort)]) == 0
    return "unet.test"


def load(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)


def test_a_run_becomes_a_preset_that_says_what_it_is(named, folder, capsys):
    preset = manifest.read(home.weights())[named]
    (file,) = preset.files
    assert file.bytes < 0.7 * (folder / "weights.safetensors").stat().st_size
    record = json.loads((folder.parent.parent / f"{folder.name}.json").read_text())
    (one,) = preset.dice
    assert one.patients == len(record["patients"])
    stored = next(iter(record["quality"]["brats"].values()))["patient"]["dice"]["mean"]
    assert one.mean == pytest.approx(stored, abs=1e-4)
    assert one.lower <= one.mean <= one.upper
    capsys.readouterr()
    assert main(["weights", "list", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == [named]
    assert main(["weights", "list"]) == 0
    assert named in capsys.readouterr().out
    assert main(["weights", "show", named]) == 0
    assert file.sha256 in capsys.readouterr().out
    assert main(["weights", "verify", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1
    assert main(["weights", "card", named]) == 0
    card = capsys.readouterr().out
    assert card.startswith("---\nlicense: apache-2.0\n")
    assert "model-index:" in card
    assert f"| {one.region} | {one.mean:.3f} |" in card


def test_a_card_shows_where_a_preset_fails_beside_itself(named, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pictures, "PHANTOMS", 4)
    monkeypatch.setattr(pictures, "SIZE", 32)
    asked = ["weights", "card", named, "--pictures"]
    assert main(asked) == 2
    assert "Expected --out FILE with --pictures" in capsys.readouterr().err
    out = tmp_path / "card" / "README.md"
    assert main([*asked, "--out", str(out)]) == 0
    text = out.read_text()
    shown = re.findall(r"!\[.+?\]\((\w+\.png)\)", text)
    assert shown == ["best.png", "median.png", "worst.png"]
    assert all((out.parent / name).read_bytes().startswith(b"\x89PNG") for name in shown)
    told = [float(value) for value in re.findall(r"of 4: \S+, Dice ([\d.]+)\.\n", text)]
    assert len(told) == 3
    assert told == sorted(told, reverse=True)
    assert "Scored on 4 cases of phantoms" in text
    # The mean over all four is that of an evaluation on the same patients.
    (site,) = filter(Path.is_dir, Path("cache/phantoms").iterdir())
    assert main(["evaluate", named_path(named), str(site), "--force", "--json"]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told[-1] <= row["dice"] <= told[0]


def test_a_card_shows_no_patient_that_taught_the_preset(named, folder, tmp_path, capsys):
    (taught,) = filter(Path.is_dir, (folder.parents[2] / "cache" / "phantoms").iterdir())
    words = ["weights", "card", named, "--pictures", "--out", str(tmp_path / "c" / "card.md")]
    assert main([*words, "--data", str(taught)]) == 2
    assert "was trained on" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_a_folder_called_as_a_preset_does_not_hide_it(named, folder, tmp_path):
    Path(named).mkdir()
    (path,) = trained_network.find_all(named)
    assert path.parent == home.weights()
    shutil.copy(folder / "weights.safetensors", named)
    assert trained_network.find_all(named) == [Path(named) / "weights.safetensors"]


def named_path(name: str) -> str:
    (path,) = shelf.paths(name)
    return str(path)


def test_masks_by_name_are_those_of_the_run_and_taught_scans_are_named(
    named, folder, cohort, tmp_path, capsys
):
    assert main(["predict", str(folder), str(cohort), "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert main(["predict", named, str(cohort), "--out", str(tmp_path / "name")]) == 0
    warned = set(re.findall(r"was trained on (\S+):", capsys.readouterr().err))
    record = json.loads((folder.parent.parent / f"{folder.name}.json").read_text())
    scans = {f"Phantom_{number:05d}" for number in range(1, 5)}
    assert warned == scans - set(record["data"]["split"]["test"])
    assert warned < scans  # who tested it was never taught
    for path in (tmp_path / "run").glob("*.nii.gz"):
        apart = load(path) != load(tmp_path / "name" / path.name)
        assert apart.mean() < 0.01, "16 bits move a voxel at the threshold, and no more"
    assert (tmp_path / "name" / "volumes.csv").exists()


def test_several_networks_are_one(folder, cohort, tmp_path):
    both = f"{folder},{folder}"
    assert main(["predict", str(folder), str(cohort), "--out", str(tmp_path / "one")]) == 0
    for way in ensemble.WAYS:
        out = tmp_path / way
        words = ["--ensemble", way, "--uncertainty", "--out", str(out)]
        assert main(["predict", both, str(cohort), *words]) == 0
        for path in (tmp_path / "one").glob("*.nii.gz"):
            stem = path.name.removesuffix(".nii.gz")
            if way == "mean":
                assert np.array_equal(load(path), load(out / path.name))
            entropy = load(out / f"{stem}_entropy.nii.gz")
            assert 0 <= entropy.min() <= entropy.max() <= 1
            assert load(out / f"{stem}_disagreement.nii.gz").max() < 1e-3


def test_an_ensemble_means_votes_and_says_where_it_is_of_two_minds():
    answers = [np.full((1, 2, 2, 1), value, np.float32) for value in (0.2, 0.6, 0.7)]
    members = [lambda _, answer=answer: answer for answer in answers]
    mean = ensemble.Ensemble(members, [0.5] * 3, "mean")
    assert np.allclose(mean(None), 0.5)
    assert np.allclose(mean.spread, np.std([0.2, 0.6, 0.7]), atol=1e-6)
    votes = ensemble.Ensemble(members, [0.5, 0.5, 0.65], "majority")
    assert np.allclose(votes(None), 2 / 3)
    classes = np.array([[[0.2, 0.3, 0.5], [0.9, 0.1, 0.0]]], np.float32)
    assert ensemble._votes(classes, 0.5).tolist() == [[[0, 0, 1], [1, 0, 0]]]
    assert ensemble.entropy(np.array([0.5, 1.0, 0.0])[:, None]).round(4).tolist() == [1, 0, 0]


def test_the_demo_segments_a_phantom(named, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.predicting.demo.SIZE", 32)
    assert main(["predict", named, "--demo"]) == 0
    assert "the picture: gliozoo-demo/mask/overlays/" in capsys.readouterr().err
    assert list((tmp_path / "gliozoo-demo" / "mask").glob("*.nii.gz"))


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["predict", "unet.tset", "scans", "--out", "m"], "Did you mean 'unet.test'"),
        (["predict", "unet.test", "--out", "m"], "or --demo"),
        (["predict", "unet.test", "scans"], "--out DIR"),
        (["weights", "show", "unet.tset"], "Did you mean 'unet.test'"),
        (["weights", "show"], "Expected a preset"),
        (["weights", "add", "nowhere", "--name", "unet.b"], "expected a run's folder"),
        (["weights", "add", "nowhere"], "--name MODEL.TAG"),
    ],
)
def test_mistakes_are_one_sentence(named, argv, sentence, capsys, tmp_path):
    capsys.readouterr()
    assert main(argv) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_a_tampered_file_is_refused(named, capsys):
    (path,) = home.weights().glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    for argv in (["weights", "verify"], ["predict", named, "x", "--out", "m"]):
        assert main(argv) == 2
        assert "is damaged or was altered" in capsys.readouterr().err


def test_runs_that_do_not_belong_together_make_no_preset(folder, tmp_path, capsys):
    words = ["weights", "add", str(folder), str(folder), "--name", "unet.two"]
    assert main(words) == 2
    assert "one run a fold" in capsys.readouterr().err
    assert main(["weights", "add", str(folder), "--name", "sa_unet.x"]) == 2
    assert "unet.TAG" in capsys.readouterr().err
    assert not home.weights().exists()


def test_what_16_bits_cost_is_measured_on_patients(folder, tmp_path, monkeypatch):
    whole, half = folder / "weights.safetensors", tmp_path / "half.safetensors"
    weights.halve(whole, half)
    assert 0 <= halving.require_harmless(whole, half, 0, None) < halving.LIMIT
    monkeypatch.setattr(halving, "LIMIT", -1.0)
    with pytest.raises(ValueError, match="--float32"):
        halving.require_harmless(whole, half, 0, None)


def test_a_preset_is_tidied_by_those_who_chose_its_epoch(named, folder, cohort, tmp_path, capsys):
    before = manifest.read(home.weights())[named]
    assert main(["weights", "tidy", named]) == 0
    told = capsys.readouterr().err
    after = manifest.read(home.weights())[named]
    (path,) = shelf.paths(named)  # whole, by the manifest's new SHA-256
    trained = trained_network.read(path)
    assert after.smallest == trained.smallest in cut.SHARES
    assert f"fold 0: below {trained.smallest:g} of the largest component" in told
    for old, new in zip(before.dice, after.dice, strict=True):
        assert f"{new.region}: Dice {old.mean:.3f}, now {new.mean:.3f}, by lesion 0." in told
    old, new = (weights.read(one)[1] for one in (folder / "weights.safetensors", path))
    assert all((old[name].astype(new[name].dtype) == new[name]).all() for name in old)
    # What the manifest says is what the masks of the command have.
    data = halving.fold_of(trained, 0, None)
    predicted = Predictor(weights.restore(path), trained.evaluation)
    dice = []
    for patient in data.patients("test"):
        found = patient.restore(predicted(patient.images))[..., 0] >= trained.threshold
        parts, _ = ndimage.label(found, np.ones((3, 3, 3)))
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        mask, truth = (
            (sizes >= trained.smallest * sizes.max())[parts] & found,
            patient.reference > 0,
        )
        dice.append(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))
    assert after.dice[0].mean == pytest.approx(np.mean(dice), abs=1e-4)


def test_other_patients_than_its_own_choose_nothing(named, tmp_path, capsys):
    cohort = write.ensure(tmp_path / "others", "brats", 6, 32, 9)
    before = {path.name: path.read_bytes() for path in home.weights().iterdir()}
    assert main(["weights", "tidy", named, "--data", str(cohort)]) == 2
    assert "other patients taught it" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in home.weights().iterdir()} == before


def test_what_is_shipped_stays_small(folder, monkeypatch):
    monkeypatch.setattr(made, "LARGEST", 10)
    wish = made.Wish("unet.big", shelf.SHIPPED)
    with pytest.raises(ValueError, match="state a --url"):
        made.preset([folder], wish)
    assert not list(shelf.SHIPPED.glob("*"))
