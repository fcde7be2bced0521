"""Exports as a user makes them, and their masks where Keras can't be imported.

Networks are untrained here: a wrong mask shows a wrong path as well as a right one does.
"""

import json
import shutil
import struct
import subprocess
import sys
import venv
from pathlib import Path

import keras
import nibabel
import numpy as np
import pytest
import tiny
from scipy import ndimage
from thick_slices import thicken

import zoo
from benchmarks.__main__ import main
from benchmarks.exporting import exported, facts, int8, parity, segment
from benchmarks.predicting import trained_network
from benchmarks.protocols.protocol import Evaluation, Protocol
from benchmarks.training import cut
from benchmarks.training.cut import Cut
from data_pipeline import Cohort, DataSpec
from data_pipeline.cases.case import Case
from data_pipeline.formats import affine
from data_pipeline.grid import geometry
from data_pipeline.phantom import write
from data_pipeline.scans import predicted_scan
from zoo import weights

COHORT = Cohort(patients=5, size=40)
CHANNELS = ("t1", "flair", "t1ce")
SLICES = DataSpec(size=(32, 32), channels=CHANNELS, phantom=COHORT)
VOLUMES = DataSpec(
    rank=3, size=(16, 16, 16), channels=CHANNELS, target="labels", batch_size=2, phantom=COHORT
)
BARE = """
import sys
for name in ("keras", "tensorflow", "torch", "jax", "cv2", "nibabel", "scipy", "zoo", "benchmarks",
             "data_pipeline"):
    sys.modules[name] = None
sys.path.insert(0, {folder!r})
import segment
code = segment.main({argv!r})
assert not [name for name in ("keras", "tensorflow") if sys.modules.get(name)]
sys.exit(code)
"""


def trained(
    folder: Path, cache: Path, spec: DataSpec, smallest: float = 0.0, seed: int = 1
) -> Path:
    """A run's folder with an untrained network whose mask is neither empty nor everything."""
    data = tiny.load(cache, spec)
    keras.utils.set_random_seed(seed)
    network = zoo.create("unet", data.input_shape, data.classes, width=0.0625)
    threshold = 0.5
    if data.classes == 1:
        answer = network.predict_on_batch(next(data.patients("test")).images)
        threshold = float((np.median(answer) + answer.max()) / 2)
    protocol = Protocol("test", spec, evaluate=Evaluation(surfaces=False, batch_size=8))
    usage = trained_network.Trained.of(protocol, data, Cut(threshold, smallest))
    weights.save(network, folder / trained_network.WEIGHTS, usage.as_json())
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def cohort(cache):
    return write.ensure(cache / "phantoms", "brats", COHORT.patients, COHORT.size, COHORT.seed)


@pytest.fixture(scope="module")
def slices(cache, tmp_path_factory):
    return trained(tmp_path_factory.mktemp("slices"), cache, SLICES)


@pytest.fixture(scope="module")
def volumes(cache, tmp_path_factory):
    return trained(tmp_path_factory.mktemp("volumes"), cache, VOLUMES, smallest=0.2)


@pytest.fixture(scope="module")
def folds(slices, cache, tmp_path_factory):
    """Two networks of slices, as the folds of a preset are."""
    return f"{slices},{trained(tmp_path_factory.mktemp('other'), cache, SLICES, 0.2, seed=2)}"


@pytest.fixture(scope="module")
def onnx_file(slices, tmp_path_factory):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    out = tmp_path_factory.mktemp("onnx") / "unet.onnx"
    assert export(slices, "--format", "onnx", "--out", out, "--runner") == 0
    return out


def export(*arguments) -> int:
    return main(["export", *map(str, arguments)])


def run_bare(folder: Path, *argv) -> subprocess.CompletedProcess:
    code = BARE.format(folder=str(folder), argv=list(map(str, argv)))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def files_of(case: Path) -> list[str]:
    return [f"{name}={case / f'{case.name}_{name}.nii.gz'}" for name in reversed(CHANNELS)]


def load(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)


def compared(
    run: Path | str, model: Path, cohort: Path, tmp_path: Path, *, resampled: bool = False
) -> None:
    """Every voxel of every mask is that of `gliozoo predict`, and the headers are equal."""
    assert main(["predict", str(run), str(cohort), "--out", str(tmp_path / "masks")]) == 0
    cases = sorted(path for path in cohort.iterdir() if path.is_dir())
    found = 0
    for case in cases:
        out = tmp_path / f"{case.name}.nii.gz"
        done = run_bare(model.parent, model, *files_of(case), "--out", out)
        assert done.returncode == 0, done.stderr
        assert ("resampled from" in done.stderr) == resampled
        theirs = tmp_path / "masks" / f"{case.name}.nii.gz"
        assert np.array_equal(load(out), load(theirs)), case.name
        assert nibabel.load(out).header == nibabel.load(theirs).header
        found += int((load(out) > 0).sum())
    assert 0 < found < sum(load(tmp_path / f"{case.name}.nii.gz").size for case in cases)


def test_several_networks_are_one_file_that_answers_their_mean(folds, tmp_path):
    out = tmp_path / "both"
    assert export(folds, "--format", "savedmodel", "--out", out) == 0
    paths = [Path(one) / trained_network.WEIGHTS for one in folds.split(",")]
    told, each = exported.read(out), [trained_network.read(path) for path in paths]
    assert told["model"] == "unet x2"
    assert told["weights_sha256"] == [weights.header(path).sha256 for path in paths]
    assert told["scan"]["threshold"] == np.mean([one.threshold for one in each])
    assert told["scan"]["smallest"] == 0.1
    x = np.random.default_rng(0).random((2, 32, 32, 3), "float32")
    answers = [weights.restore(path).predict_on_batch(x) for path in paths]
    file = keras.layers.TFSMLayer(str(out), call_endpoint="serve")
    np.testing.assert_allclose(np.asarray(file(x)), np.mean(answers, axis=0), atol=1e-5)
    assert np.abs(answers[0] - answers[1]).max() > 0.01


def test_several_networks_without_keras_are_those_of_predict(folds, cohort, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    out = tmp_path / "both.onnx"
    assert export(folds, "--format", "onnx", "--out", out, "--runner") == 0
    compared(folds, out, cohort, tmp_path)


def test_slices_without_keras_are_those_of_predict(slices, onnx_file, cohort, tmp_path):
    compared(slices, onnx_file, cohort, tmp_path)


def test_the_runner_prepares_thick_slices_as_predict_does(volumes, cohort, tmp_path):
    case = thicken(min(path for path in cohort.iterdir() if path.is_dir()), tmp_path)
    usage = trained_network.read(trained_network.find(volumes))
    files = {name: case / f"{case.name}_{name}.nii.gz" for name in CHANNELS}
    known = Case("A", "A", "volumes", tuple(files), tuple(files.values()), (), {})
    scan, images = predicted_scan.read(known, usage.preparation)
    said = {**facts.scan(usage), "value_range": "normalised"}
    given = [f"{name}={path}" for name, path in files.items()]
    header, channels, stated = segment.read_scan(given, said["channels"])
    found, box = segment.prepared(channels, said, segment.spacing_of(header, stated))
    assert scan.resampled
    sides = " x ".join(f"{side:.3g}" for side in scan.volume.spacing)
    assert segment.resampled_from(segment.spacing_of(header, stated), said) == f"{sides} mm"
    assert segment.resampled_from(said["voxels"], said) is None
    assert box == scan.geometry.box
    np.testing.assert_allclose(found, np.asarray(images), atol=1e-4)
    answer = np.random.default_rng(0).random((*found.shape[:3], usage.target.classes), "float32")
    back = segment.restored(answer, channels[0].shape, box, said)
    np.testing.assert_allclose(back, scan.restore(answer, usage.target), atol=1e-6)


def test_volumes_of_thick_slices_without_keras_are_those_of_predict(volumes, cohort, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    out = tmp_path / "unet.onnx"
    assert export(volumes, "--format", "onnx", "--out", out, "--runner") == 0
    for case in cohort.iterdir():
        if case.is_dir():
            thicken(case, tmp_path / "thick")
    compared(volumes, out, tmp_path / "thick", tmp_path, resampled=True)


@pytest.mark.slow
def test_an_environment_of_numpy_and_onnxruntime_is_enough(slices, onnx_file, cohort, tmp_path):
    """Not an interpreter that is forbidden to import Keras: one that never had it."""
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare" / "bin" / "python"
    install = [python, "-I", "-m", "pip", "install", "--quiet", "numpy", "onnxruntime"]
    if subprocess.run(install, capture_output=True).returncode:
        pytest.skip("no package index is in reach")
    listing = [python, "-I", "-m", "pip", "list"]
    listed = subprocess.run(listing, capture_output=True, text=True).stdout
    assert not {"keras", "tensorflow", "gliozoo"} & set(listed.lower().split())
    case = min(path for path in cohort.iterdir() if path.is_dir())
    out = tmp_path / "mask.nii.gz"
    command = [python, "-I", "segment.py", onnx_file, *files_of(case), "--out", out]
    done = subprocess.run(command, cwd=onnx_file.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert main(["predict", str(slices), str(case), "--out", str(tmp_path / "masks")]) == 0
    assert np.array_equal(load(out), load(tmp_path / "masks" / f"{case.name}.nii.gz"))


def test_volumes_without_keras_are_those_of_predict(volumes, cohort, tmp_path):
    pytest.importorskip("openvino")
    out = tmp_path / "model" / "unet.xml"
    assert export(volumes, "--format", "openvino", "--out", out, "--runner") == 0
    assert out.with_suffix(".bin").exists()
    assert exported.read(out)["scan"]["exclusive"] is True
    compared(volumes, out, cohort, tmp_path)
    for mask in (load(file) for file in tmp_path.glob("*.nii.gz")):
        parts, count = ndimage.label(mask, np.ones((3, 3, 3)))
        sizes = np.bincount(parts.ravel())[1:]
        assert count > 0
        assert sizes.min() >= 0.2 * sizes.max()


@pytest.mark.parametrize("density", [0.0, 0.02, 0.05, 0.1, 0.3, 1.0])
def test_the_runner_finds_components_as_scipy_does(density):
    noise = np.random.default_rng(7)
    for shape in ((1, 1, 1), (1, 9, 40), (13, 7, 11), (20, 20, 20)):
        for share in (0.05, 0.2, 0.5, 1.0):
            lesion = np.asarray(noise.random(shape) < density, order=noise.choice(["C", "F"]))
            found = segment.large(lesion, share)
            np.testing.assert_array_equal(found, cut.large(lesion, share=share))


def test_a_gelu_is_written_in_what_onnx_has(tmp_path):
    """TensorFlow's is made of erfc, which tf2onnx copies by name, and no runtime knows."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    model = zoo.create("segformer3d", (32, 32, 3), 1, width=0.125)
    told = exported.export([model], None, exported.Request("onnx", tmp_path / "m.onnx"))
    assert 0 < told["difference"]["random"] <= parity.LIMIT
    kinds = {node.op_type for node in onnx.load(str(tmp_path / "m.onnx")).graph.node}
    assert "Erf" in kinds
    assert "Erfc" not in kinds


def test_bf16_is_a_choice_that_openvino_alone_has(volumes, cohort, onnx_file, tmp_path, capsys):
    case = min(path for path in cohort.iterdir() if path.is_dir())
    asked = [*files_of(case), "--out", str(tmp_path / "mask.nii"), "--precision", "bf16"]
    assert segment.main([str(onnx_file), *asked]) == 2
    assert "export with --format openvino" in capsys.readouterr().err
    pytest.importorskip("openvino")
    out = tmp_path / "model" / "unet.xml"
    assert export(volumes, "--format", "openvino", "--out", out) == 0
    assert segment.main([str(out), *asked]) == 0
    bits = load(tmp_path / "mask.nii") > 0
    assert segment.main([str(out), *asked[:-2]]) == 0
    exact = load(tmp_path / "mask.nii") > 0
    assert 2 * (bits & exact).sum() / (bits.sum() + exact.sum()) > 0.9


def test_a_file_says_what_its_use_needs(onnx_file, slices, capsys):
    assert export("show", onnx_file, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"] == "unet"
    assert told["weights_sha256"] == weights.digest(weights.restore(trained_network.find(slices)))
    assert told["scan"]["channels"] == list(CHANNELS)
    assert told["scan"]["normalisation"] == "zscore_brain"
    assert 0 <= told["difference"]["real_like"] <= told["difference"]["limit"]
    assert export("show", onnx_file) == 0
    assert "real_like" in capsys.readouterr().out


def test_what_is_there_is_never_replaced(onnx_file, slices, capsys):
    before = onnx_file.read_bytes()
    assert export(slices, "--format", "onnx", "--out", onnx_file) == 2
    assert "is there already" in capsys.readouterr().err
    assert onnx_file.read_bytes() == before


def test_a_difference_above_the_limit_is_refused_and_leaves_nothing(slices, tmp_path, monkeypatch):
    model = weights.restore(trained_network.find(slices))

    def write_zeros(_, path):
        path.write_bytes(b"zeros")

    made = exported.module("litert")
    monkeypatch.setattr(made, "write", write_zeros)
    monkeypatch.setattr(made, "runner", lambda _: lambda batch: np.zeros((len(batch), 32, 32, 1)))
    request = exported.Request("litert", tmp_path / "there" / "m.tflite")
    with pytest.raises(ValueError, match="differs from its source by"):
        exported.export([model], None, request)
    assert not list((tmp_path / "there").iterdir())

    def lacks(*_):
        raise NotImplementedError("no Conv3D here")

    monkeypatch.setattr(made, "write", lacks)
    with pytest.raises(ValueError, match=r"can't be exported as litert: no Conv3D here"):
        exported.export([model], None, request)
    assert not list((tmp_path / "there").iterdir())


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["unet"], "--format FORMAT --out PATH"),
        (["unet", "--format", "onnx", "--out", "x.xml"], "ending in .onnx"),
        (["uent", "--format", "litert", "--out", "x.tflite"], "uent"),
        (["unet", "--format", "litert", "--out", "x.tflite", "--int8"], "--calibrate"),
        (["show"], "export show PATH"),
        (["show", "nowhere.onnx"], "expected a file of"),
    ],
)
def test_mistakes_are_one_sentence(argv, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert export(*argv) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_one_sentence(tmp_path, capsys):
    pytest.importorskip("onnx")
    for name in ("a.onnx", "a.tflite"):
        (tmp_path / name).write_bytes(b"\x12garbage")
        assert export("show", tmp_path / name) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_runner_refuses_in_one_sentence(onnx_file, cohort, tmp_path):
    case = sorted(path for path in cohort.iterdir() if path.is_dir())[0]
    lacking = files_of(case)[:-1]
    for files, sentence in (
        (lacking, "add t1."),
        (["t1=none.nii", "flair=none.nii", "t1ce=none.nii"], "can't be read"),
        ([str(case / f"{case.name}_t1.nii.gz")], "one file of 3 channels"),
    ):
        done = run_bare(onnx_file.parent, onnx_file, *files, "--out", tmp_path / "m.nii")
        assert done.returncode == 2
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "m.nii").exists()


SIDES = pytest.mark.parametrize(
    "sides",
    [
        ((3, 30, 40), (3, 17, 21)),
        ((3, 20, 24), (3, 41, 50)),
        ((3, 32, 32), (3, 16, 16)),
        ((5, 30, 40), (24, 17, 21)),
        ((31, 12, 20), (31, 12, 33)),
        ((9, 30, 12), (30, 13, 41)),
    ],
)


@SIDES
def test_the_runner_resizes_as_the_pipeline_does(sides):
    draw = np.random.default_rng(0)
    image = draw.normal(size=sides[0]).astype(np.float32)
    expected = geometry._resized(image[..., None], sides[1])[..., 0]
    assert np.allclose(segment.resized(image, sides[1]), expected, atol=2e-6)


@SIDES
def test_the_runner_resizes_bytes_to_a_step_a_side(sides):
    """OpenCV rounds them in fractions of 2048, side by side."""
    image = np.random.default_rng(0).integers(0, 256, sides[0]).astype(np.uint8)
    expected = geometry._resized(image[..., None], sides[1])[..., 0]
    apart = np.abs(segment.resized(image, sides[1]).astype(int) - expected)
    assert apart.max() <= np.count_nonzero(np.not_equal(*sides))


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "ASL", "IRP"])
def test_the_runner_turns_a_file_as_the_pipeline_does(codes, tmp_path):
    voxels = np.random.default_rng(0).integers(0, 99, (4, 5, 6)).astype(np.int16)
    start = nibabel.orientations.axcodes2ornt("RAS")
    turn = nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt(codes))
    image = nibabel.Nifti1Image(voxels, np.diag([1.0, 2.0, 3.0, 1.0])).as_reoriented(turn)
    for name, prepare in (("s", lambda one: None), ("q", lambda one: one.set_sform(None, 0))):
        image.set_qform(image.affine, 1)
        prepare(image)
        nibabel.save(image, tmp_path / f"{name}.nii")
        _, found, stated = segment.read_nifti(tmp_path / f"{name}.nii")
        own = nibabel.orientations.io_orientation(image.affine)
        assert np.array_equal(segment.to_lps(found, stated), affine.to_lps(found, own))
        assert np.array_equal(segment.from_lps(segment.to_lps(found, stated), stated), found)


def test_the_runner_reads_what_others_write(tmp_path):
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    image = nibabel.Nifti1Image(values, np.eye(4))
    image.header.set_slope_inter(2, 1)
    nibabel.save(image, tmp_path / "scaled.nii.gz")
    raw = (tmp_path / "scaled.nii.gz").read_bytes()
    assert raw[:2] == b"\x1f\x8b"
    _, found, _ = segment.read_nifti(tmp_path / "scaled.nii.gz")
    assert np.allclose(found, np.asarray(nibabel.load(tmp_path / "scaled.nii.gz").dataobj))
    big = nibabel.Nifti1Image(values, np.eye(4), nibabel.Nifti1Header(endianness=">"))
    nibabel.save(big, tmp_path / "big.nii")
    assert struct.unpack(">i", (tmp_path / "big.nii").read_bytes()[:4]) == (348,)
    _, found, _ = segment.read_nifti(tmp_path / "big.nii")
    assert np.array_equal(found, values)
    (tmp_path / "cut.nii").write_bytes((tmp_path / "big.nii").read_bytes()[:360])
    with pytest.raises(segment.Refused, match="truncated"):
        segment.read_nifti(tmp_path / "cut.nii")


def test_eight_bits_are_judged_by_masks(slices, cohort, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    out = tmp_path / "int8.onnx"
    monkeypatch.setattr(int8, "LEAST", 0.0)  # an untrained network's masks hang by a thread
    words = ("--int8", "--calibrate", cohort)
    assert export(slices, "--format", "onnx", "--out", out, *words) == 0
    told = exported.read(out)["difference"]
    assert told["int8"] is True
    assert told["samples"] > 4
    monkeypatch.setattr(int8, "LEAST", 1.1)
    with pytest.raises(ValueError, match=r"below 1\.1"):
        int8.judged(lambda x: x[..., :1], lambda x: x[..., :1], np.ones((2, 8, 8, 3), np.float32))
    shutil.rmtree(tmp_path)


def test_the_inputs_of_a_comparison_look_as_they_are_said_to():
    found = parity.inputs((32, 32, 3))
    head = found["real_like"]
    assert head.shape == (2, 32, 32, 3)
    assert not head[:, 0].any()
    assert head[:, 16, 16].any()
    assert parity.differences(lambda x: x * np.nan, lambda x: x, (8, 8, 1))["random"] == 1
