"""The demo's files are what its page says: of one training, Keras' own answers, npm's runtime."""

import hashlib
import json
import re
import shutil
import tarfile

import numpy as np
import pytest

from benchmarks.protocols import protocol
from benchmarks.records import record
from website import demo, demo_files, runtime
from zoo import weights
from zoo.errors import UserError
from zoo.presets.preset import File

SHOWN = demo.facts()
RUN = record.read(demo.FOLDER / demo.RECORD)
PLACES = range(len(SHOWN["phantoms"]))


@pytest.fixture(scope="module")
def slices():
    return [demo_files.read(demo.FOLDER / demo.part(place), SHOWN, place) for place in PLACES]


def test_the_record_is_of_the_protocol_that_lies_beside_it():
    stated = protocol.find(str(demo.FOLDER / demo.PROTOCOL), RUN.run["model"])
    assert RUN.protocol_digest == stated.digest
    assert RUN.data["layout"] == "phantom"
    assert demo.PROTOCOL in RUN.command


def test_record_weights_and_network_are_of_one_training():
    model = weights.restore(demo.FOLDER / demo.WEIGHTS)
    sha256 = RUN.training["weights_sha256"]
    assert weights.digest(model) == sha256
    assert sha256.encode() in (demo.FOLDER / demo.NETWORK).read_bytes()
    assert sha256[:16] in demo.page(SHOWN, runs=True)


def test_the_phantoms_tested_it_and_taught_it_nothing():
    names = [phantom["name"] for phantom in SHOWN["phantoms"]]
    assert names == RUN.data["split"]["test"][: demo_files.PHANTOMS]


def test_keras_gives_the_probabilities_that_are_stored(slices):
    """Within the limit, because another processor adds in another order."""
    model = weights.restore(demo.FOLDER / demo.WEIGHTS)
    for phantom, found in zip(SHOWN["phantoms"], slices, strict=True):
        answers = np.asarray(model.predict_on_batch(found.images(phantom["scales"])))[..., 0]
        assert np.abs(answers - found.expected).max() <= demo.LIMIT


def test_onnxruntime_gives_them_from_the_file(slices):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    session = onnxruntime.InferenceSession(str(demo.FOLDER / demo.NETWORK))
    (given,) = session.get_inputs()
    for phantom, found in zip(SHOWN["phantoms"], slices, strict=True):
        images = found.images(phantom["scales"])
        answers = np.concatenate([session.run(None, {given.name: one[None]})[0] for one in images])
        assert np.abs(answers[..., 0] - found.expected).max() <= demo.LIMIT


def test_scores_are_those_of_the_stored_masks(slices):
    threshold = RUN.protocol["evaluate"]["threshold"]
    for phantom, found in zip(SHOWN["phantoms"], slices, strict=True):
        for known, truth, answer in zip(
            phantom["slices"], found.reference, found.expected, strict=True
        ):
            told = demo_files.scores(truth, answer >= threshold)
            assert told == {"dice": known["dice"], "pixels": known["pixels"]}


@pytest.mark.slow
def test_the_maker_makes_these_files_of_the_run(slices, tmp_path, monkeypatch):
    """Phantoms are made anew, too; Keras' answers come within the limit on any processor."""
    pytest.importorskip("tf2onnx", reason="needs tf2onnx: pip install 'gliozoo[export]'")
    monkeypatch.setenv("GLIOZOO_CACHE", str(tmp_path / "cache"))
    run, made = tmp_path / "run", tmp_path / "made"
    run.mkdir()
    made.mkdir()
    shutil.copy(demo.FOLDER / demo.WEIGHTS, run / "weights.safetensors")
    shutil.copy(demo.FOLDER / demo.RECORD, run / "record.json")
    told = demo_files.make(run, made)
    assert json.loads((made / demo.FACTS).read_text()) == json.loads(json.dumps(told))
    assert set(demo.files(told)) == set(demo.files(SHOWN))
    for place, (new, old) in enumerate(zip(told["phantoms"], SHOWN["phantoms"], strict=True)):
        same = ("name", "scales", "windows", "depth")
        assert [new[key] for key in same] == [old[key] for key in same]
        again = demo_files.read(made / demo.part(place), told, place)
        assert np.array_equal(again.voxels, slices[place].voxels)
        assert np.array_equal(again.reference, slices[place].reference)
        assert np.abs(again.expected - slices[place].expected).max() <= demo.LIMIT
    assert RUN.training["weights_sha256"].encode() in (made / demo.NETWORK).read_bytes()


def test_slices_are_written_as_they_are_read(slices):
    for place, found in enumerate(slices):
        assert found.as_bytes() == (demo.FOLDER / demo.part(place)).read_bytes()


def test_a_site_without_the_runtime_says_so():
    content = demo.page(SHOWN, runs=False)
    assert "lacks onnxruntime-web" in content
    assert "demo.js" not in content


def test_the_page_is_held_to_its_own_scripts():
    html = demo.guarded("<head>\n</head><script>one</script><script>two</script>")
    policy = re.search(r'content="([^"]+)"', html)[1]
    assert policy.count("'sha256-") == 2
    assert "default-src 'self'" in policy
    assert not re.search(r"unsafe-inline|'unsafe-eval'|https?:|\*", policy)


def test_every_file_of_the_page_is_there():
    for path, place in demo.files(SHOWN).items():
        assert path.startswith(f"{demo.PLACE}/")
        assert place.is_file()
    listed = json.loads(
        re.search(r'id="demo-facts">(.*?)</script>', demo.page(SHOWN, runs=True))[1]
    )
    assert {f"{demo.PLACE}/{name}" for name in listed["files"]} <= set(demo.files(SHOWN))


def test_the_licence_names_the_runtime_by_its_hashes():
    stated = (demo.FOLDER / "onnxruntime.LICENSE.txt").read_text()
    for part in (runtime.PACKAGE, *runtime.PARTS):
        assert f"SHA-256 of {part.file}: {part.sha256}\n" in stated
    assert f"onnxruntime-web {runtime.VERSION}" in stated
    assert "MIT License" in stated


@pytest.fixture
def npm(tmp_path, monkeypatch, serve):
    """Serve a small package in place of npm's; return where it is to be unpacked."""
    served, content = tmp_path / "npm" / "onnxruntime-web" / "-", tmp_path / "package" / "dist"
    served.mkdir(parents=True)
    content.mkdir(parents=True)
    (content / "ort.js").write_bytes(b"runtime")
    (content / "else.js").write_bytes(b"not needed")
    package = served / "ort.tgz"
    with tarfile.open(package, "w:gz") as archive:
        archive.add(tmp_path / "package", "package")
    sums = [hashlib.sha256(data).hexdigest() for data in (package.read_bytes(), b"runtime")]
    monkeypatch.setattr(runtime, "PACKAGE", File(package.name, package.stat().st_size, sums[0]))
    monkeypatch.setattr(runtime, "PARTS", (File("ort.js", 7, sums[1]),))
    monkeypatch.setenv("npm_config_registry", serve(tmp_path / "npm"))
    monkeypatch.delenv("GLIOZOO_OFFLINE", raising=False)
    return tmp_path / "cache"


def test_the_runtime_is_fetched_once(npm, monkeypatch):
    (place,) = runtime.ready(npm)
    assert place.read_bytes() == b"runtime"
    assert [path.name for path in npm.iterdir()] == ["ort.js"]
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    assert runtime.ready(npm) == [place]


def test_a_runtime_that_was_altered_is_refused(npm):
    (place,) = runtime.ready(npm)
    place.write_bytes(b"altered")
    with pytest.raises(UserError, match="is damaged or was altered"):
        runtime.ready(npm)


def test_a_package_that_is_not_the_one_is_refused(npm, monkeypatch):
    other = File(runtime.PACKAGE.file, runtime.PACKAGE.bytes, "0" * 64)
    monkeypatch.setattr(runtime, "PACKAGE", other)
    with pytest.raises(UserError, match="is damaged or was altered"):
        runtime.ready(npm)
    assert not (npm / "ort.js").exists()


def test_nothing_is_fetched_offline(npm, monkeypatch):
    monkeypatch.setenv("GLIOZOO_OFFLINE", "1")
    with pytest.raises(UserError, match="nothing is fetched offline"):
        runtime.ready(npm)
