"""Places that can't be written to: one sentence, exit code 2, and nothing half-written."""

import errno
import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from make_nifti import nnunet

from benchmarks.__main__ import main
from data_pipeline.files import whole_files
from data_pipeline.phantom import formats


def refused(arguments: list[str], capsys) -> str:
    assert main(arguments) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    return sentence


@pytest.fixture
def full(monkeypatch):
    """A disk with no room left for a file of any size."""

    def write(self, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", write)
    monkeypatch.setattr(formats.Path, "write_text", write)
    whole = whole_files.write_whole
    monkeypatch.setattr(whole_files, "write_whole", lambda path, content: write(path, content))
    return whole


@contextmanager
def read_only(monkeypatch, folder: Path):
    """A folder on a disk that is mounted read-only."""
    asked, made = os.access, Path.mkdir

    def access(path, mode, **options):
        shut = Path(path).is_relative_to(folder) and mode & os.W_OK
        return not shut and asked(path, mode, **options)

    def mkdir(self, *arguments, **options):
        if self.is_relative_to(folder) and not self.exists():
            raise OSError(errno.EROFS, "Read-only file system", str(self))
        made(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "access", access)
        patch.setattr(Path, "mkdir", mkdir)
        yield


def test_a_phantom_on_a_full_disk(tmp_path, full, capsys):
    for layout in ("lgg", "nnunet"):
        out = tmp_path / "new"
        sentence = refused(
            ["data", "phantom", str(out), "--layout", layout, "--patients", "1", "--size", "16"],
            capsys,
        )
        assert f"{out}: can't be written (No space left on device)" in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_phantom_on_a_disk_that_is_read_only(tmp_path, monkeypatch, capsys):
    with read_only(monkeypatch, tmp_path):
        out = tmp_path / "there" / "new"
        sentence = refused(["data", "phantom", str(out), "--patients", "1", "--size", "16"], capsys)
    assert f"{out}: can't be written (Read-only file system)" in sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["gone/manifest.json", "set", "set/dataset.json/manifest.json"])
def test_a_manifest_that_can_not_be_written_is_told_before_the_set_is_read(
    tmp_path, monkeypatch, where, capsys
):
    root = nnunet(tmp_path / "set")
    monkeypatch.setattr("data_pipeline.checking.check.examine", None)
    sentence = refused(["data", "check", str(root), "--out", str(tmp_path / where)], capsys)
    assert f"{tmp_path / where}: can't be written" in sentence


def test_a_manifest_on_a_full_disk(tmp_path, full, monkeypatch, capsys):
    monkeypatch.undo()
    root = nnunet(tmp_path / "set")
    out = tmp_path / "manifest.json"

    def fsync(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", fsync)
    sentence = refused(["data", "check", str(root), "--out", str(out)], capsys)
    assert f"{out}: can't be written (No space left on device)" in sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]


def test_a_store_on_a_disk_that_is_read_only_is_told_before_the_set_is_read(
    tmp_path, monkeypatch, capsys
):
    root = nnunet(tmp_path / "set")
    monkeypatch.setattr("data_pipeline.checking.check_once.examine", None)
    with read_only(monkeypatch, tmp_path):
        out = tmp_path / "there" / "store"
        sentence = refused(["data", "prepare", str(root), "--out", str(out)], capsys)
    assert f"{out}: can't be written to" in sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]


def test_a_store_on_a_full_disk(tmp_path, monkeypatch, capsys):
    root = nnunet(tmp_path / "set")

    def fsync(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", fsync)
    sentence = refused(["data", "prepare", str(root), "--out", str(tmp_path / "store")], capsys)
    assert "can't keep prepared data there (No space left on device)" in sentence
    left = [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert all(name.endswith(".lock") for name in left)


def test_names_that_are_no_text_are_read_and_printed(tmp_path, capfd):
    """Linux lets a name be any bytes."""
    root = tmp_path / os.fsdecode(b"set\xff")
    nnunet(root, cases=("A", os.fsdecode(b"B\xfe")))
    assert main(["data", "check", str(root)]) == 0
    out = tmp_path / "manifest.json"
    assert main(["data", "check", str(root), "--out", str(out), "--json"]) == 0
    assert "fingerprint" in whole_files.read_json(out)
    assert main(["data", "prepare", str(root), "--out", str(tmp_path / "store")]) == 0
    assert main(["data", "check", str(tmp_path / "store")]) == 0
    assert "\udcff" not in capfd.readouterr().out


NAME = "\x1b[31mA\x1b]0;title\x07"


def test_what_a_terminal_would_obey_is_shown_escaped(tmp_path, capsys):
    root = nnunet(tmp_path / "set", cases=("A", NAME))
    (root / "labelsTr" / f"{NAME}.nii.gz").unlink()
    (root / "imagesTr" / f"{NAME}_0001.nii.gz").write_bytes(b"")
    store, phantom = tmp_path / f"store{NAME}", tmp_path / f"phantom{NAME}"
    for arguments in (
        ["check", str(root), "--allow-skips"],
        ["prepare", str(root), "--out", str(store), "--allow-skips", "--size", "16,16"],
        ["check", str(store)],
        ["audit", str(root), "--folds", "2"],
        ["phantom", str(phantom), "--patients", "1", "--size", "16"],
    ):
        main(["data", *arguments])
        seen = capsys.readouterr()
        assert "\x1b" not in seen.out + seen.err
        assert "\\x1b[31mA" in seen.out + seen.err
