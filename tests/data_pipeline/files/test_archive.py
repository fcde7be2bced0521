"""Row 46: an archive that would write outside, or fill the disk, is refused whole."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from make_tiff import lgg

from benchmarks.__main__ import main
from data_pipeline.errors import UserError
from data_pipeline.files import archive


def zipped(path: Path, members: dict[str, bytes], links=()) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o120777 if name in links else 0o100644) << 16
            file.writestr(info, content)
    return path


def tarred(path: Path, members: dict[str, bytes], kind=tarfile.REGTYPE, target: str = "") -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            info.type, info.linkname = kind, target
            file.addfile(info, io.BytesIO(content))
    return path


SOUND = {"a/good.txt": b"fine"}
HOSTILE = {
    "zip dots": lambda p: zipped(p / "x.zip", {**SOUND, "../evil": b"x"}),
    "zip absolute": lambda p: zipped(p / "x.zip", {**SOUND, "/evil": b"x"}),
    "zip drive": lambda p: zipped(p / "x.zip", {**SOUND, "C:\\evil": b"x"}),
    "zip link": lambda p: zipped(p / "x.zip", {**SOUND, "link": b"/etc"}, links={"link"}),
    "zip bomb": lambda p: zipped(p / "x.zip", {**SOUND, "big": bytes(8 << 20)}),
    "tar dots": lambda p: tarred(p / "x.tar.gz", {**SOUND, "a/../../evil": b"x"}),
    "tar absolute": lambda p: tarred(p / "x.tgz", {**SOUND, "/evil": b"x"}),
    "tar hard link": lambda p: tarred(p / "x.tar.gz", SOUND, tarfile.LNKTYPE, "/etc/passwd"),
    "tar link": lambda p: tarred(p / "x.tar.gz", SOUND, tarfile.SYMTYPE, "/etc"),
    "tar pipe": lambda p: tarred(p / "x.tar.gz", SOUND, tarfile.FIFOTYPE),
    "tar twice": lambda p: tarred(p / "x.tar.gz", {**SOUND, "a//good.txt": b"other"}),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_hostile_archive_is_refused_whole(tmp_path, make, capsys, monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FREE", 1 << 20)
    path = make(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError) as refusal:
        archive.unpack(path, out)
    assert str(path) in str(refusal.value)
    assert "nothing was unpacked" in str(refusal.value)
    assert list(out.iterdir()) == []
    assert main(["data", "check", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("name", ["broken.zip", "broken.tar.gz"])
def test_broken_archive_is_refused(tmp_path, name, capsys):
    path = tmp_path / name
    path.write_bytes(b"PK\3\4 not really")
    assert main(["data", "check", str(path)]) == 2
    assert f"{path}: can't be unpacked" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_sound_archive_of_a_data_set_is_checked(tmp_path, suffix, capsys):
    root = lgg(tmp_path / "set")
    files = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*.tif")}
    path = tmp_path / f"lgg{suffix}"
    (zipped if suffix == ".zip" else tarred)(path, files)
    before = sorted(tmp_path.rglob("*"))
    assert main(["data", "check", str(path)]) == 0
    assert "2 cases of 2 patients" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before
