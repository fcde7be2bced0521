"""`gliozoo predict`: what it writes is what the evaluation scored, on the scan's own grid.

Networks are untrained here: a wrong mask shows a wrong path as well as a right one does.
"""

import csv
import gzip
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import nibabel
import numpy as np
import pytest
import tiny
from thick_slices import thicken

import zoo
from benchmarks.__main__ import main
from benchmarks.errors import UserError
from benchmarks.inference.predictor import Predictor
from benchmarks.predicting import trained_network
from benchmarks.protocols.protocol import Evaluation, Protocol
from benchmarks.training import evaluate
from benchmarks.training.cut import Cut
from data_pipeline import Cohort, DataSpec
from data_pipeline.augmenting.augmentation import Augmentation
from data_pipeline.phantom import write
from zoo import weights

ROOT = Path(__file__).parents[3]
COHORT = Cohort(patients=6, size=32)
CHANNELS = ("t1", "flair", "t1ce", "t2")
SLICES = DataSpec(size=(32, 32), channels=CHANNELS, phantom=COHORT)
VOLUMES = DataSpec(
    rank=3, size=(16, 16, 16), channels=CHANNELS, target="labels", batch_size=2, phantom=COHORT
)
REGIONS = {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}
FOUR = {4: 3}  # BraTS 2021, which the phantoms follow


class Run:
    """An untrained network with a run's weights file, and what the evaluation says of it."""

    def __init__(
        self,
        folder: Path,
        cache: Path,
        model: str,
        spec: DataSpec,
        wanted: str = "normalised",
        smallest: float = 0.0,
    ):
        protocol = Protocol("test", spec, evaluate=Evaluation(surfaces=False, batch_size=4))
        self.data = tiny.load(cache, spec).in_range(wanted)
        keras.utils.set_random_seed(0)
        network = zoo.create(model, self.data.input_shape, self.data.classes, width=0.0625)
        threshold = _between(network, self.data) if self.data.classes == 1 else 0.5
        cut = Cut(threshold, smallest)
        self.usage = trained_network.Trained.of(protocol, self.data, cut)
        self.folder = folder
        self.path = folder / trained_network.WEIGHTS
        weights.save(network, self.path, self.usage.as_json())
        self.predict = Predictor(network, protocol.evaluate)
        self.rows = {
            patient.id: evaluate.row(
                patient,
                self.data,
                patient.restore(self.predict(patient.images)),
                cut,
                surfaces=False,
            )["regions"]
            for patient in self.data.patients("test")
        }


def _between(network, data) -> float:
    """Choose a threshold above which an untrained network puts some voxels, and not all."""
    answer = network.predict(next(data.patients("test")).images, verbose=0)
    return float((np.median(answer) + answer.max()) / 2)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def cohort(cache):
    return write.ensure(cache / "phantoms", "brats", COHORT.patients, COHORT.size, COHORT.seed)


@pytest.fixture(scope="module")
def slices(cache, tmp_path_factory):
    return Run(tmp_path_factory.mktemp("slices"), cache, "sa_unet", SLICES, "unit")


@pytest.fixture(scope="module")
def volumes(cache, tmp_path_factory):
    return Run(tmp_path_factory.mktemp("volumes"), cache, "unet", VOLUMES, smallest=0.2)


def predict(*arguments) -> int:
    return main(["predict", *map(str, arguments)])


def counts(reference: np.ndarray, found: np.ndarray) -> tuple[int, int, int]:
    return tuple(
        int(np.count_nonzero(mask))
        for mask in (reference & found, ~reference & found, reference & ~found)
    )


def load(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)


@pytest.mark.parametrize("kind", ["slices", "volumes"])
def test_what_is_written_is_what_was_scored(kind, cohort, tmp_path, request):
    run = request.getfixturevalue(kind)
    assert predict(run.folder, *(cohort / name for name in run.rows), "--out", tmp_path) == 0
    assert len(run.rows) > 0
    for name, expected in run.rows.items():
        reference = load(cohort / name / f"{name}_seg.nii.gz")
        found = load(tmp_path / f"{name}.nii.gz")
        assert found.dtype == np.uint8
        for region, values in REGIONS.items():
            if region not in expected:
                continue
            if kind == "slices":  # knows nothing but lesion, and writes 1
                mine = found == 1
            else:
                mine = np.isin(found, [4 if value == 3 else value for value in values])
            truth = np.isin(reference, [4 if value == 3 else value for value in values])
            stored = tuple(expected[region][key] for key in ("tp", "fp", "fn"))
            assert counts(truth, mine) == stored
    assert {value for path in tmp_path.glob("*.nii.gz") for value in np.unique(load(path))} > {0}


def test_a_process_says_what_it_found_and_nothing_else(slices, cohort, tmp_path):
    name = next(iter(slices.rows))
    words = ["predict", slices.folder, cohort / name, "--out", tmp_path]
    command = [sys.executable, "-m", "benchmarks", *map(str, words)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    first, last = told.stderr.splitlines()
    assert first.startswith(f"{name}: ")
    assert last.startswith("1 of 1 scans predicted")


def test_the_header_is_that_of_the_scan(volumes, cohort, tmp_path):
    name = next(iter(volumes.rows))
    predict(volumes.path, cohort / name, "--out", tmp_path, "--probabilities")
    scan = nibabel.load(cohort / name / f"{name}_flair.nii.gz")
    for path in tmp_path.glob("*.nii.gz"):
        written = nibabel.load(path)
        np.testing.assert_array_equal(written.affine, scan.affine)
        for field in ("pixdim", "qform_code", "sform_code", "srow_x", "quatern_b", "xyzt_units"):
            np.testing.assert_array_equal(written.header[field], scan.header[field])
        assert written.shape == scan.shape
    assert {path.name for path in tmp_path.glob("*.nii.gz")} == {
        f"{name}{part}.nii.gz" for part in ("", "_WT", "_TC", "_ET")
    }
    whole, core = (load(tmp_path / f"{name}_{region}.nii.gz") for region in ("WT", "TC"))
    assert whole.dtype == np.float32
    assert (whole >= core - 1e-6).all()


def test_volumes_are_told_as_one_json_document(volumes, cohort, tmp_path, capsys):
    names = sorted(volumes.rows)
    predict(volumes.folder, *(cohort / name for name in names), "--out", tmp_path, "--json")
    rows = json.loads(capsys.readouterr().out)
    assert [row["case"] for row in rows] == [name for name in names for _ in ("WT", "TC", "ET")]
    whole = [int(np.count_nonzero(load(tmp_path / f"{name}.nii.gz"))) for name in names]
    assert [row["voxels"] for row in rows if row["region"] == "WT"] == whole


def oblique(image):
    """Turn a file's world by 20 degrees, and its axes to another order and direction."""
    turned = image.as_reoriented(np.array([[1, -1], [2, 1], [0, -1]]))
    angle = np.deg2rad(20)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    affine = turned.affine.copy()
    affine[:3] = turn @ affine[:3]
    return nibabel.Nifti1Image(np.asarray(turned.dataobj), affine)


def scaled(image):
    """Store the same values as int16 with a slope and an intercept."""
    stored = (np.asarray(image.dataobj).astype(np.int16) - 3) * 2
    other = nibabel.Nifti1Image(stored, image.affine)
    other.header.set_data_dtype(np.int16)
    other.header.set_slope_inter(0.5, 3)
    raw = bytearray(other.to_bytes())  # nibabel would fit a slope of its own
    raw[112:120] = np.array([0.5, 3], "<f4").tobytes()
    raw[352:] = stored.tobytes(order="F")
    return bytes(raw)


@pytest.mark.parametrize("change", [oblique, scaled])
def test_other_conventions_give_the_same_mask(change, volumes, cohort, tmp_path):
    name = next(iter(volumes.rows))
    (tmp_path / "in" / name).mkdir(parents=True)
    for path in (cohort / name).glob("*.nii.gz"):
        if "seg" in path.name:
            continue
        changed = change(nibabel.load(path))
        content = changed if isinstance(changed, bytes) else changed.to_bytes()
        (tmp_path / "in" / name / path.name).write_bytes(gzip.compress(content))
    assert predict(volumes.folder, tmp_path / "in", "--out", tmp_path / "other") == 0
    assert predict(volumes.folder, cohort / name, "--out", tmp_path / "plain") == 0
    other = nibabel.load(tmp_path / "other" / f"{name}.nii.gz")
    plain = nibabel.load(tmp_path / "plain" / f"{name}.nii.gz")
    expected = oblique(plain) if change is oblique else plain
    np.testing.assert_array_equal(np.asarray(other.dataobj), np.asarray(expected.dataobj))
    np.testing.assert_allclose(other.affine, expected.affine, atol=1e-5)


def test_kaggle_slices_become_pictures(cache, tmp_path):
    spec = DataSpec(size=(32, 32), phantom=COHORT)
    run = Run(tmp_path / "run", cache, "sa_unet", spec)
    folder = write.write(tmp_path / "lgg", "lgg", 2, 32)
    case = sorted(path for path in folder.iterdir() if path.is_dir())[0]
    for mask in case.glob("*_mask.tif"):
        mask.unlink()  # a scan to predict has none
    assert predict(run.folder, case, "--out", tmp_path / "out", "--overlays") == 0
    written = sorted((tmp_path / "out" / case.name).iterdir())
    assert [path.name for path in written] == sorted(
        f"{path.stem}_mask.tif" for path in case.glob("*.tif")
    )
    values = {value for path in written for value in np.unique(cv2.imread(str(path), -1))}
    assert values == {0, 255}
    assert cv2.imread(str(tmp_path / "out/overlays" / f"{case.name}.png")) is not None
    with (tmp_path / "out/volumes.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["ml"] == ""  # a picture states no voxel size
    assert int(row["voxels"]) == sum((cv2.imread(str(p), -1) > 0).sum() for p in written)


@pytest.mark.parametrize("layout", ["msd", "nnunet"])
def test_masks_follow_the_labels_of_the_scans_own_data_set(layout, volumes, cohort, tmp_path):
    folder = write.write(tmp_path / "data", layout, COHORT.patients, COHORT.size, COHORT.seed)
    shutil.rmtree(folder / "labelsTr")
    assert predict(volumes.folder, folder, "--out", tmp_path / "out") == 0
    assert predict(volumes.folder, cohort, "--out", tmp_path / "brats") == 0
    mine = [load(path) for path in sorted((tmp_path / "out").glob("*.nii.gz"))]
    brats = [load(path) for path in sorted((tmp_path / "brats").glob("*.nii.gz"))]
    assert len(mine) == len(brats) == COHORT.patients
    table = {"msd": [0, 2, 1, 0, 3], "nnunet": [0, 1, 2, 0, 4]}[layout]
    for own, other in zip(mine, brats, strict=True):
        np.testing.assert_array_equal(own, np.array(table, np.uint8)[other])


def test_the_year_decides_what_enhancing_is_called(volumes, cohort, tmp_path):
    name = next(iter(volumes.rows))
    predict(volumes.folder, cohort / name, "--out", tmp_path / "old")
    predict(volumes.folder, cohort / name, "--out", tmp_path / "new", "--version", "2023")
    old, new = (load(tmp_path / year / f"{name}.nii.gz") for year in ("old", "new"))
    np.testing.assert_array_equal(np.where(old == 4, 3, old), new)
    assert 4 in old
    assert predict(volumes.folder, cohort / name, "--out", tmp_path, "--version", "1999") == 2


def broken(kind: str, case: Path) -> None:
    flair = case / f"{case.name}_flair.nii.gz"
    if kind == "channel":
        flair.unlink()
    elif kind == "truncated":
        flair.write_bytes(flair.read_bytes()[:-200])
    else:
        image = nibabel.load(flair)
        affine = image.affine.copy()
        for path in [flair] if kind == "affine" else case.glob("*.nii.gz"):
            made = nibabel.Nifti1Image(np.asarray(nibabel.load(path).dataobj), affine)
            if kind == "affine":
                made.affine[:3, 3] += 5
            made.header.set_xyzt_units("micron" if kind == "spacing" else "mm")
            path.write_bytes(gzip.compress(made.to_bytes()))


SENTENCES = {
    "channel": "add flair",
    "truncated": "flair.nii.gz",
    "affine": "its affine lies",
    "spacing": "state no voxel size",
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_a_bad_scan_is_told_and_the_others_go_on(kind, volumes, cohort, tmp_path, capsys):
    good, bad = sorted(path.name for path in cohort.iterdir() if path.is_dir())[:2]
    for name in (good, bad):
        shutil.copytree(cohort / name, tmp_path / "in" / name)
    broken(kind, tmp_path / "in" / bad)
    assert predict(volumes.folder, tmp_path / "in", "--out", tmp_path / "out") == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("gliozoo:")]
    assert len(told) == 1
    assert SENTENCES[kind] in told[0]
    assert (tmp_path / "out" / f"{good}.nii.gz").exists()
    assert not list((tmp_path / "out").rglob(f"{bad}*"))


def test_thick_slices_are_resampled_and_said_to_be_unless_any_will_do(
    volumes, cohort, tmp_path, capsys
):
    name = next(iter(volumes.rows))
    case = thicken(cohort / name, tmp_path / "in")
    flair = nibabel.load(case / f"{name}_flair.nii.gz")
    assert predict(volumes.folder, case, "--out", tmp_path / "there") == 0
    sides = f"{volumes.usage.spacing[0][0] * 2:.3g} x {volumes.usage.spacing[1][0]:.3g}"
    assert f"(resampled from {sides}" in capsys.readouterr().err
    found = nibabel.load(tmp_path / "there" / f"{name}.nii.gz")
    assert found.shape == flair.shape
    np.testing.assert_array_equal(found.affine, flair.affine)
    assert predict(volumes.folder, case, "--out", tmp_path / "as", "--any-spacing") == 0
    assert "resampled" not in capsys.readouterr().err
    as_it_is = load(tmp_path / "as" / f"{name}.nii.gz")
    assert not np.array_equal(load(tmp_path / "there" / f"{name}.nii.gz"), as_it_is)
    broken("spacing", case)
    assert predict(volumes.folder, case, "--out", tmp_path / "unstated", "--any-spacing") == 0


def test_a_network_of_voxels_of_several_sizes_takes_those_between(volumes):
    usage = replace(volumes.usage, spacing=((1.0, 5.0), (1.0, 1.0), (1.0, 1.0)))
    assert usage.voxels is None
    usage.require_spacing("A", (3.0, 1.05, 1.0), True)
    for sides in ((6.0, 1.0, 1.0), (3.0, 1.0, 0.5)):
        with pytest.raises(UserError, match="on 1 x 1 x 1 to 5 x 1 x 1 mm; res"):
            usage.require_spacing("A", sides, True)
    spaced = replace(usage, spec=replace(usage.spec, spacing=(1, 1, 1)))
    assert spaced.voxels == spaced.preparation.spacing == (1, 1, 1)
    spaced.require_spacing("A", (6.0, 1.0, 1.0), True)
    assert spaced.of_any_spacing().preparation.spacing is None


def test_small_components_can_be_left_out(slices, cohort, tmp_path):
    from scipy import ndimage

    name = next(iter(slices.rows))

    def predicted(*options):
        out = tmp_path / "_".join(options)
        predict(slices.folder, cohort / name, "--out", out, *options)
        return load(out / f"{name}.nii.gz")

    before = predicted()
    labels, _ = ndimage.label(before, np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    largest = sizes.max()
    assert sizes.min() < largest
    for options, kept in (
        (("--least", str(largest)), sizes >= largest),
        (("--least", "2"), sizes >= 2),
        (("--smallest", "0.6"), sizes >= 0.6 * largest),
    ):
        after = predicted(*options)
        assert np.count_nonzero(after) == sizes[kept].sum()
        assert not (after & ~before).any()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere", "{scan}"), "expected a run's folder"),
        (("{run}", "nowhere.nii.gz"), "no such file"),
        (("{run}", "{run}"), "holds no scan"),
        (("{plain}", "{scan}"), "does not say how images are to be prepared"),
        (("{run}", "{scan}", "--batch-size", "0"), "--batch-size"),
        (("{run}", "{scan}", "--overlap", "1"), "overlap"),
        (("{run}", "{scan}", "--smallest", "2"), "smallest from 0 to 1"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, sentence, slices, cohort, tmp_path, capsys):
    plain = tmp_path / "plain.safetensors"
    weights.save(zoo.create("sa_unet", (32, 32, 4), 1, width=0.0625), plain)
    places = {"run": slices.folder, "scan": cohort / next(iter(slices.rows)), "plain": plain}
    asked = [argument.format(**places) for argument in arguments]
    assert predict(*asked, "--out", tmp_path / "out") == 2
    told = capsys.readouterr().err.splitlines()
    assert len([line for line in told if line.startswith("gliozoo:")]) == 1
    assert sentence in told[-1]
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_among_the_scans(slices, cohort, tmp_path, capsys):
    name = next(iter(slices.rows))
    shutil.copytree(cohort / name, tmp_path / name)
    before = sorted(path.name for path in (tmp_path / name).iterdir())
    assert predict(slices.folder, tmp_path / name, "--out", tmp_path / name) == 2
    assert "among the scans" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / name).iterdir()) == before


def test_flips_are_averaged_on_request(slices, cohort, tmp_path):
    name = next(iter(slices.rows))
    predict(slices.folder, cohort / name, "--out", tmp_path / "a", "--probabilities")
    predict(slices.folder, cohort / name, "--out", tmp_path / "b", "--probabilities", "--tta")
    plain, averaged = (load(tmp_path / k / f"{name}_WT.nii.gz") for k in "ab")
    assert not np.array_equal(plain, averaged)
    (patient,) = (p for p in slices.data.patients("test") if p.id == name)
    mirrored = slices.predict(patient.images[:, :, ::-1])[:, :, ::-1]
    expected = patient.restore((slices.predict(patient.images) + mirrored) / 2)[..., 0]
    np.testing.assert_allclose(averaged.transpose(2, 1, 0), expected, atol=1e-5)


@pytest.mark.parametrize("chance", [0.0, 0.25])
def test_sequences_may_be_missing_where_the_network_was_trained_so(
    chance, cache, cohort, tmp_path, capsys
):
    spec = replace(VOLUMES, augmentation=Augmentation(channel_dropout=chance))
    run = Run(tmp_path / "run", cache, "unet", spec)
    name = next(iter(run.rows))
    shutil.copytree(cohort / name, tmp_path / name)
    (tmp_path / name / f"{name}_t2.nii.gz").unlink()
    code = predict(run.folder, tmp_path / name, "--out", tmp_path / "out")
    told = capsys.readouterr().err
    if not chance:
        assert code == 2
        assert "add t2" in told
        return
    assert code == 0
    assert "(without t2)" in told
    patient = next(p for p in run.data.patients("test") if p.id == name)
    images = patient.images.copy()
    images[..., CHANNELS.index("t2")] = 0
    found = patient.restore(run.predict(images))
    expected = Cut().masks(found, run.data.target, run.data.regions)["WT"]
    np.testing.assert_array_equal(load(tmp_path / "out" / f"{name}.nii.gz").T > 0, expected)


@pytest.mark.parametrize("kind", ["slices", "volumes"])
def test_a_page_shows_the_mask_beside_the_labels_of_the_scan(kind, cohort, tmp_path, request):
    run = request.getfixturevalue(kind)
    name = next(iter(run.rows))
    assert predict(run.folder, cohort / name, "--out", tmp_path, "--view") == 0
    content = (tmp_path / "pages" / f"{name}.html").read_text()
    model = {"slices": "sa_unet", "volumes": "unet"}[kind]
    assert f'"layers":["Reference","{model}"]' in content
    figures = re.findall(r"</svg> (\w+)</th><td>(\w+)</td><td>.*?</td><td>(.*?)</td>", content)
    told = {region: dice for region, layer, dice in figures if layer == model}
    assert list(told) == (["WT"] if kind == "slices" else list(REGIONS))
    for region, dice in told.items():
        row = run.rows[name][region]
        union = 2 * row["tp"] + row["fp"] + row["fn"]
        assert dice == f"{2 * row['tp'] / union if union else 1:.3f}"


def test_labels_that_can_not_be_read_leave_the_page_without_a_reference(
    volumes, cohort, tmp_path, capsys
):
    name = next(iter(volumes.rows))
    scan = tmp_path / name
    scan.mkdir()
    for path in (cohort / name).iterdir():
        (scan / path.name).symlink_to(path)
    label = scan / f"{name}_seg.nii.gz"
    label.unlink()
    label.write_bytes(b"no gzip")
    assert predict(volumes.folder, scan, "--out", tmp_path / "out", "--view") == 0
    assert "The page shows no reference." in capsys.readouterr().err
    assert '"layers":["unet"]' in (tmp_path / "out" / "pages" / f"{name}.html").read_text()
