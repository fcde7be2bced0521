"""Presets from a manifest to weights: found, verified, fetched, refused."""

import functools
import hashlib
import http.server
import threading

import numpy as np
import pytest

import zoo
from zoo import weights
from zoo.presets import fetching, home, manifest, shelf
from zoo.presets.preset import Dice, File, Preset
from zoo.weights_files import halves


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    """A home of this test alone, and nothing that is shipped."""
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(fetching.OFFLINE, raising=False)
    monkeypatch.setattr(shelf, "SHIPPED", tmp_path / "shipped")


def preset(file: File, name: str = "unet.test", **others) -> Preset:
    return Preset(
        name=name,
        summary='A "quoted" test\nwith two lines',
        model="unet",
        rank=2,
        channels=("t1", "flair"),
        layout="lgg",
        protocol="smoke",
        protocol_digest="0" * 64,
        files=(file,),
        dice=(Dice("tumour", 0.8123, 0.7, 0.9, 13),),
        **others,
    )


def stated(content: bytes, name: str = "unet.test-f0.safetensors", **others) -> File:
    return File(name, len(content), hashlib.sha256(content).hexdigest(), **others)


@pytest.fixture
def server(tmp_path):
    """A server on this machine, and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    one = preset(stated(b"abc"), scans=("0123456789abcdef",), limits=("a", "b"))
    other = preset(stated(b"abcd", "other.safetensors"), "unet3d.test")
    manifest.write(tmp_path, [other, one])
    assert manifest.read(tmp_path) == {"unet.test": one, "unet3d.test": other}
    assert manifest.read(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("bytes = 3", "bytes = -3"), "bytes can't be -3"),
        (('name = "unet.test"', 'name = "../unet"'), "name can't be"),
        (('file = "unet', 'file = "../unet'), "file can't be"),
        (("rank = 2", "rank = 4"), "rank can't be 4"),
        (("rank = 2", "rank = 2\nsurprise = 1"), "unknown entry 'surprise'"),
        (("rank = 2", ""), "rank"),
        (("rank = 2", "rank ="), "can't be read as TOML"),
    ],
)
def test_a_manifest_that_cannot_be_meant_is_one_sentence(tmp_path, change, reason):
    manifest.write(tmp_path, [preset(stated(b"abc"))])
    path = tmp_path / manifest.FILE
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(zoo.UserError, match=reason) as told:
        manifest.read(tmp_path)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_an_unknown_name_is_answered_with_the_closest():
    with pytest.raises(zoo.UserError, match="there are none yet"):
        shelf.find("unet.lgg")
    manifest.write(home.weights(), [preset(stated(b"abc"))])
    with pytest.raises(zoo.UserError, match=r"Did you mean 'unet\.test'"):
        shelf.find("unet.tset")


def test_a_file_is_fetched_once_and_verified_each_time(server):
    folder, address = server
    content = b"w" * 200_000
    (folder / "unet.test-f0.safetensors").write_bytes(content)
    file = stated(content, url=f"{address}/unet.test-f0.safetensors")
    manifest.write(home.weights(), [preset(file)])
    (path,) = shelf.paths("unet.test")
    assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == [path.name], "nothing is left aside"
    (folder / "unet.test-f0.safetensors").unlink()
    assert shelf.paths("unet.test", offline=True) == [path]
    path.write_bytes(b"x" + content[1:])
    with pytest.raises(zoo.UserError, match="is damaged or was altered"):
        shelf.paths("unet.test")


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (b"v" * 100, "damaged or was altered"),
        (b"w" * 99, "ended 1 bytes early"),
        (b"w" * 101, "larger"),
    ],
)
def test_another_file_than_the_manifest_says_leaves_nothing(server, served, reason):
    folder, address = server
    (folder / "unet.bin").write_bytes(served)
    file = stated(b"w" * 100, url=f"{address}/unet.bin")
    manifest.write(home.weights(), [preset(file)])
    with pytest.raises(zoo.UserError, match=reason) as told:
        shelf.paths("unet.test")
    assert file.url in str(told.value)
    assert not list((home.weights() / fetching.FOLDER).iterdir())


def test_no_network_and_offline_are_one_sentence(server, monkeypatch):
    _, address = server
    file = stated(b"w", url=f"{address}/nowhere.bin")
    manifest.write(home.weights(), [preset(file)])
    with pytest.raises(zoo.UserError, match=r"can't be fetched .*copy the file to"):
        shelf.paths("unet.test")
    with pytest.raises(zoo.UserError, match="nothing is fetched offline"):
        shelf.paths("unet.test", offline=True)
    monkeypatch.setenv(fetching.OFFLINE, "1")
    with pytest.raises(zoo.UserError, match="nothing is fetched offline"):
        shelf.paths("unet.test")
    manifest.write(home.weights(), [preset(stated(b"w"))])
    with pytest.raises(zoo.UserError, match="no URL is known"):
        shelf.paths("unet.test", offline=False)


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path / "file"))
    with pytest.raises(zoo.UserError, match="set GLIOZOO_HOME"):
        manifest.write(home.weights(), [preset(stated(b"w"))])
    file = stated(b"w", url="http://127.0.0.1:9/x")
    with pytest.raises(zoo.UserError, match="set GLIOZOO_HOME"):
        fetching.fetch(file, "unet.test", home.weights())


def test_halves_keep_what_normalises():
    tensors = {
        "a/kernel": np.full(3, 1 / 3, np.float32),
        "bn/moving_variance": np.full(3, 1e6, np.float32),
        "bn/steps": np.ones(1, np.int32),
    }
    half = halves.halved(tensors)
    kinds = [value.dtype.name for value in half.values()]
    assert kinds == ["float16", "float32", "int32"]
    wide = halves.widened(half)
    assert wide["a/kernel"].dtype == np.float32
    assert np.allclose(wide["a/kernel"], 1 / 3, atol=2e-4)
    assert wide["bn/moving_variance"][0] == 1e6
    with pytest.raises(zoo.UserError, match="beyond float16's range"):
        halves.halved({"a/kernel": np.full(1, 1e6, np.float32)})


def test_a_model_is_created_by_the_name_of_a_preset(tmp_path):
    made = zoo.create("unet", (32, 32, 2), 1, width=0.125)
    weights.save(made, tmp_path / "whole.safetensors", {"fact": 1})
    path = home.weights() / "unet.test-f0.safetensors"
    weights.halve(tmp_path / "whole.safetensors", path)
    assert path.stat().st_size < 0.6 * (tmp_path / "whole.safetensors").stat().st_size
    assert weights.header(path).about == {"fact": 1}
    manifest.write(home.weights(), [preset(stated(path.read_bytes()))])
    found = zoo.create("unet", weights="unet.test")
    assert found.input_shape == (None, 32, 32, 2)
    image = np.random.default_rng(0).normal(size=(1, 32, 32, 2)).astype(np.float32)
    apart = np.abs(found.predict_on_batch(image) - made.predict_on_batch(image)).max()
    assert 0 < apart < 5e-3
    larger = zoo.create("unet", (48, 64, 2), weights="unet.test")
    assert larger.input_shape == (None, 48, 64, 2)
    with pytest.raises(zoo.UserError, match="is one of unet, not of sa_unet"):
        zoo.create("sa_unet", weights="unet.test")
