"""What is found away comes home: in parts that fit, over several calls, as it comes about."""

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from benchmarks.errors import UserError
from benchmarks.gpu import carry, parcel
from benchmarks.gpu.parcel import ARCHIVE, BEST, HALF, WEIGHTS, Parcel
from zoo import weights
from zoo.presets import shelf

RUN = "sa_unet-lgg2d-0123-s0"
GOOD = '{"run": {},\n "status": "ok"\n}\n'  # as far as its last lines tell


@pytest.fixture(scope="module")
def network():
    """Return some network's weights."""
    path, *_ = shelf.paths("sa_unet.lgg")
    return path


def a_run(results, network, *, finished, name=RUN):
    folder = results / "box" / "runs" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "picture.png").write_bytes(b"a patient")
    (folder / "history.csv").write_text("epoch\n1\n")
    shutil.copy(network, folder / (WEIGHTS if finished else BEST))
    if finished:
        (results / "box" / f"{name}.json").write_text(GOOD)
    return folder


def test_weights_come_home_in_parts_over_several_calls(tmp_path, network, monkeypatch):
    monkeypatch.setattr(parcel, "PART", 30_000)
    monkeypatch.setattr(parcel, "FILES", 4)
    away, home = tmp_path / "away", tmp_path / "home"
    a_run(away, network, finished=True)
    calls = [tmp_path / f"call{number}" for number in range(3)]
    counts = [len(Parcel(away, call).update()) for call in calls]
    assert counts == [4, 4, 1]  # six parts, three a call beside the archive
    assert "3 of 6" in parcel.unpack(calls[:1], home)[-1]
    assert parcel.unpack(calls, home)[-1] == f"{RUN}: weights whole"
    there = home / "box/runs" / RUN
    assert weights.header(there / HALF).sha256 == weights.header(network).sha256
    assert (home / f"box/{RUN}.json").read_text() == GOOD
    assert (there / "history.csv").exists()
    assert not list(home.rglob("*.png"))


def test_a_call_that_ends_early_brings_what_there_was(tmp_path, network):
    away, out, home = tmp_path / "away", tmp_path / "call", tmp_path / "home"
    bundle = Parcel(away, out)
    assert bundle.update() == [out / ARCHIVE]
    folder = a_run(away, network, finished=False)
    assert len(bundle.update()) == 2
    told = parcel.unpack([out], home)
    assert told[-1] == f"{RUN}: weights whole, of a training cut short"
    # It ends well in the same call: the same place holds its last weights, and the record comes.
    (folder / BEST).unlink()
    a_run(away, network, finished=True)
    files = bundle.update()
    assert len(files) == 2
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in files)
    assert parcel.unpack([out], home)[-1] == f"{RUN}: weights whole"


def test_of_weights_that_may_change_there_are_all_parts_or_none(tmp_path, network, monkeypatch):
    monkeypatch.setattr(parcel, "PART", 30_000)
    monkeypatch.setattr(parcel, "FILES", 4)
    away = tmp_path / "away"
    a_run(away, network, finished=False)
    assert len(Parcel(away, tmp_path / "call").update()) == 1
    monkeypatch.setattr(parcel, "FILES", 8)
    assert len(Parcel(away, tmp_path / "next").update()) == 7


def test_a_call_stays_below_its_limit(tmp_path, network, monkeypatch):
    monkeypatch.setattr(parcel, "TOTAL", 250_000)
    away = tmp_path / "away"
    for name in ("a-s0", "b-s0"):
        a_run(away, network, finished=True, name=name)
    files = Parcel(away, tmp_path / "call").update()
    sha = weights.header(network).sha256[:8]
    assert [path.name for path in files] == [ARCHIVE, f"box.a-s0.{sha}.1-of-1.part"]
    # The same folder again: parts of the last call are gone, for they came home.
    files = Parcel(away, tmp_path / "call").update()
    assert [path.name for path in files] == [ARCHIVE, f"box.b-s0.{sha}.1-of-1.part"]
    assert sorted((tmp_path / "call").iterdir()) == sorted(files)


def test_parts_of_other_weights_are_not_joined(tmp_path, network, monkeypatch):
    monkeypatch.setattr(parcel, "PART", 100_000)
    monkeypatch.setattr(parcel, "FILES", 2)
    away, home = tmp_path / "away", tmp_path / "home"
    a_run(away, network, finished=True)
    first = Parcel(away, tmp_path / "call0").update()
    (other,) = shelf.paths("unet3d.brats")[:1]
    a_run(away, other, finished=True)
    second = Parcel(away, tmp_path / "call1").update()
    assert len(first) == len(second) == 2
    told = parcel.unpack([tmp_path / "call0", tmp_path / "call1"], home)
    assert [line for line in told if "whole" in line] == []
    assert any("1 of 2 parts" in line for line in told)


def test_what_vanishes_while_it_is_packed_is_left_out(tmp_path, monkeypatch):
    away = tmp_path / "away"
    (away / "box").mkdir(parents=True)
    for name in ("a.json", "b.json"):
        (away / "box" / name).write_text("{}")
    read = Path.read_bytes

    def vanished(path):
        if path.name == "a.json":
            raise FileNotFoundError(path)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", vanished)
    Parcel(away, tmp_path / "call").update()
    with tarfile.open(tmp_path / "call" / ARCHIVE) as archive:
        assert archive.getnames() == ["box/b.json"]


def test_records_travel_in_parts_and_are_there_when_all_have_come(tmp_path):
    store = tmp_path / "0123"
    store.mkdir(parents=True)
    (store / "records.bin").write_bytes(os.urandom(2500))
    carry.records(store, tmp_path / "carry", 1000)
    parts = sorted((tmp_path / "carry").glob("*.part"))
    assert len(parts) == 3
    hidden = parts[1].rename(tmp_path / "later")
    assert not carry.unpack(tmp_path / "carry", tmp_path / "data")
    hidden.rename(parts[1])
    assert carry.unpack(tmp_path / "carry", tmp_path / "data")
    arrived = (tmp_path / "data/0123/records.bin").read_bytes()
    assert arrived == (store / "records.bin").read_bytes()


def test_a_part_has_the_room_that_tree_and_wheels_leave(tmp_path, monkeypatch):
    whole = carry.room(tmp_path)
    (tmp_path / "one.whl").write_bytes(bytes(1000))
    assert carry.room(tmp_path) == whole - 1000
    monkeypatch.setattr(carry, "SMALLEST", carry.CALL)
    with pytest.raises(UserError, match="carry from a checkout with less in it"):
        carry.room(tmp_path)


def test_a_folder_without_a_parcel_is_refused(tmp_path):
    with pytest.raises(UserError, match="no parcel of `make gpu` lies there"):
        parcel.unpack([tmp_path / "nowhere"], tmp_path)


def test_a_file_that_is_no_part_is_refused(tmp_path):
    (tmp_path / "else.part").write_bytes(b"")
    with pytest.raises(UserError, match="no part that `make gpu`"):
        parcel.joined(tmp_path.glob("*.part"))
