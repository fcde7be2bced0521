# ruff: noqa: E501 - the table reads like the document only if a row is a line
"""The corpus of inputs that go wrong: each is made, checked from the command line, and judged.

A row is a line of the specification: its number, what is wrong, and what is owed. `REFUSE` is one
sentence with the path and a remedy, exit code 2 and nothing written; `QUARANTINE` lists the case
with its reason, goes on with the rest and fails unless `--allow-skips`; `ACCEPT` reads the file
rightly, with a word about it where one is owed.
"""

import gzip
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from make_nifti import SHAPE, brats, labels, msd, nifti, nnunet, pack, scan
from make_tiff import LZW, lgg, mask_pixels, slice_pixels, tiff

from benchmarks.__main__ import main
from benchmarks.terminal import progress

REFUSE, QUARANTINE, ACCEPT = "refuse", "quarantine", "accept"


@dataclass(frozen=True)
class Row:
    number: int
    what: str
    owed: str
    says: str  # words of the sentence: the reason, and after a slash the remedy
    make: Callable[[Path], Path | str]  # makes the set, returns the culprit
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.number:02d} {self.what}"


def image(change: Callable[[bytes], bytes], name: str = "imagesTr/B_0001.nii.gz"):
    """A set of volumes whose one image file was changed."""

    def make(root: Path) -> Path:
        path = nnunet(root) / name
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def header(array: np.ndarray | None = None, name: str = "imagesTr/B_0001.nii.gz", **fields):
    """A set of volumes, one of which has other voxels or another header."""
    voxels = scan(11) if array is None else array
    return image(lambda _: pack(nifti(voxels, **fields)), name)


def label(array: np.ndarray | None = None, **fields):
    """A set of volumes, one of whose label maps is another."""
    return header(labels() if array is None else array, "labelsTr/B.nii.gz", **fields)


def plain(change: Callable[[bytes], bytes]):
    """A set of volumes, one of which is an uncompressed file."""

    def make(root: Path) -> Path:
        packed = nnunet(root) / "imagesTr/B_0001.nii.gz"
        path = packed.with_suffix("")
        path.write_bytes(change(gzip.decompress(packed.read_bytes())))
        packed.unlink()
        return path

    return make


def flip(position: float) -> Callable[[bytes], bytes]:
    def change(raw: bytes) -> bytes:
        at = int(position * len(raw)) if position < 1 else len(raw) - int(position)
        return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]

    return change


def directory(root: Path) -> Path:
    path = nnunet(root) / "imagesTr/B_0001.nii.gz"
    path.unlink()
    path.mkdir()
    return path


def bent(**places: float) -> np.ndarray:
    """An affine beside the usual one."""
    affine = np.array([(-1.0, 0, 0, 0), (0, -1.0, 0, 11), (0, 0, 1.0, 0)])
    for place, value in places.items():
        affine["xyz".index(place[0]), int(place[1])] = value
    return affine


def voxel(value: float, dtype=np.float32) -> np.ndarray:
    array = scan(11).astype(dtype)
    array[1, 2, 3] = value
    return array


def rgb_volume() -> np.ndarray:
    return np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])


def missing(root: Path) -> Path:
    path = nnunet(root) / "imagesTr/B_0001.nii.gz"
    path.unlink()
    return path.parent / "B_0001"


def missing_brats(root: Path) -> Path:
    case = brats(root) / "BraTS20_Training_002"
    (case / "BraTS20_Training_002_t1ce.nii.gz").unlink()
    return case


def brats_values(*values: int):
    def make(root: Path) -> Path:
        case = brats(root) / "BraTS20_Training_002"
        path = case / "BraTS20_Training_002_seg.nii.gz"
        path.write_bytes(pack(nifti(labels(values))))
        return path

    return make


def misnamed_label(root: Path) -> str:
    case = brats(root, ("BraTS20_Training_001", "BraTS20_Training_355")) / "BraTS20_Training_355"
    right = case / "BraTS20_Training_355_seg.nii.gz"
    wrong = case / "W39_1998.09.19_Segm.nii"
    wrong.write_bytes(gzip.decompress(right.read_bytes()))
    right.unlink()
    return wrong.name


def picture(raw: bytes | None, mask: bool = False):
    """A set of slices, one of which is another file, or missing."""

    def make(root: Path) -> Path:
        case = "TCGA_DU_5849_19950405"
        path = lgg(root) / "kaggle_3m" / case / f"{case}_2{'_mask' if mask else ''}.tif"
        path.write_bytes(raw) if raw is not None else path.unlink()
        return path

    return make


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def same_bytes(root: Path) -> Path:
    nnunet(root)
    (root / "imagesTr/B_0000.nii.gz").write_bytes((root / "imagesTr/A_0000.nii.gz").read_bytes())
    return root / "imagesTr/B_0000.nii.gz"


def hidden_files(root: Path) -> str:
    nnunet(root)
    for name in ("imagesTr/._A_0000.nii.gz", "imagesTr/.DS_Store", "labelsTr/._A.nii.gz"):
        (root / name).write_bytes(b"\0\5\26\7")
    return "2 cases"


def link_to_nowhere(root: Path) -> Path:
    path = nnunet(root) / "imagesTr/B_0001.nii.gz"
    path.unlink()
    path.symlink_to(root.parent / "annex" / "not_fetched.nii.gz")
    return path


def miscounted(root: Path) -> Path:
    path = nnunet(root) / "dataset.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "numTraining": 3}))
    return path


def listed_outside(root: Path) -> Path:
    path = msd(root) / "dataset.json"
    path.write_text(path.read_text().replace("./imagesTr/BRATS_002", "../elsewhere/BRATS_002"))
    return root / "../elsewhere/BRATS_002.nii.gz"


HUGE = {"dim": [3, 32767, 32767, 32767, 1, 1, 1, 1]}
FOUR_GIB = {"dim": [3, 1024, 1024, 1024, 1, 1, 1, 1]}  # of float32
LZW_GREY = tiff(slice_pixels(3), compression=LZW)
BLANK = tiff(np.full((16, 16, 3), 7, np.uint8))
BRATS_2020 = ("--version", "2020")
BRATS_2024 = ("--version", "2024")

CORPUS = [
    Row(1, "truncated .nii.gz", QUARANTINE, "ends early/download", image(lambda r: r[: len(r) // 2])),
    Row(2, "a byte flipped inside", QUARANTINE, "damaged/download", image(flip(0.5))),
    Row(2, "a byte flipped in the header", QUARANTINE, "damaged/download", image(flip(0.03))),
    Row(3, "wrong checksum", QUARANTINE, "incorrect data check/download", image(flip(7))),
    Row(3, "wrong length", QUARANTINE, "incorrect length check/download", image(flip(3))),
    Row(3, "bytes behind the end", QUARANTINE, "something else/download", image(lambda r: r + b"x")),
    Row(3, "padded with zeros", ACCEPT, "", image(lambda r: r + bytes(512))),
    Row(3, "two members", ACCEPT, "", image(lambda r: pack(gzip.decompress(r)[:999])
                                            + pack(gzip.decompress(r)[999:]))),
    Row(4, "plain NIfTI named .gz", REFUSE, "plain NIfTI/rename", image(gzip.decompress)),
    Row(4, "gzip named .nii", REFUSE, "gzip/rename", plain(pack)),
    Row(5, "truncated .nii", QUARANTINE, "truncated/download", plain(lambda r: r[: len(r) // 2])),
    Row(6, "empty file", REFUSE, "empty/download", image(lambda _: b"")),
    Row(6, "folder named x.nii.gz", REFUSE, "folder/move", directory),
    Row(7, "32767^3 voxels", REFUSE, "32767 x 32767/export", header(**HUGE)),
    Row(8, "4 GiB announced", REFUSE, "4 GiB/export", header(**FOUR_GIB)),
    Row(8, "1 GiB announced, tiny payload", REFUSE, "can't hold/export",
        header(dim=[3, 512, 512, 1024, 1, 1, 1, 1])),
    Row(8, "unpacks to more than announced", REFUSE, "more than/export",
        image(lambda r: pack(gzip.decompress(r) + bytes(3 << 20)))),
    Row(9, "negative dimension", REFUSE, "dimensions/export", header(dim=[3, 10, -12, 8, 1, 1, 1, 1])),
    Row(10, "zero dimension", REFUSE, "dimensions/export", header(dim=[3, 10, 0, 8, 1, 1, 1, 1])),
    Row(11, "unknown datatype", REFUSE, "datatype 99/export", header(datatype=99)),
    Row(12, "scl_slope NaN", REFUSE, "not finite/write 1", header(scl_slope=np.nan)),
    Row(12, "scl_slope inf", REFUSE, "not finite/write 1", header(scl_slope=np.inf)),
    Row(13, "slope on a label", REFUSE, "changes its labels/write 1", label(scl_slope=2.0)),
    Row(13, "intercept on a label", REFUSE, "changes its labels/write 1", label(scl_inter=1.0)),
    Row(13, "slope 0 on a label means none", ACCEPT, "", label(scl_slope=0.0, scl_inter=5.0)),
    Row(14, "pixdim 0", ACCEPT, "pixdim", header(pixdim=[1, 0, 1, 1, 0, 0, 0, 0])),
    Row(14, "pixdim negative", ACCEPT, "pixdim", header(pixdim=[1, 1, -1, 1, 0, 0, 0, 0])),
    Row(15, "big-endian", ACCEPT, "", header(order=">")),
    Row(16, "NaN voxel", REFUSE, "1 voxels/--nan-to-zero", header(voxel(np.nan))),
    Row(16, "infinite voxel", REFUSE, "1 voxels/--nan-to-zero", header(voxel(np.inf))),
    Row(16, "NaN counted", ACCEPT, "1 voxels", header(voxel(np.nan)), ("--nan-to-zero",)),
    Row(17, "labels .9999", ACCEPT, "", label(labels() * np.float32(0.9999))),
    Row(17, "labels .4", REFUSE, "whole numbers/nearest", label(labels() * np.float32(0.4))),
    Row(17, "labels NaN", REFUSE, "NaN/mend", label(labels() * np.float32(np.nan))),
    Row(18, "unknown label", REFUSE, "label 7/dataset.json", label(labels((0, 1, 7)))),
    Row(18, "negative label", REFUSE, "label -1/dataset.json",
        label(labels((0, 1, 2)).astype(np.int16) - 1)),
    Row(18, "label 300", REFUSE, "label 300/dataset.json",
        label(labels((0, 1, 2)).astype(np.int16) * 150)),
    Row(18, "{0,1,2,4} and {0..3} mixed", REFUSE, "label 3/--version", brats_values(0, 1, 2, 3),
        BRATS_2020),
    Row(19, "label 4 without the year", REFUSE, "label 4/--version", brats_values(0, 1, 2, 4)),
    Row(19, "label 3 without the year", REFUSE, "refused too/--version", brats_values(0, 1, 2, 3)),
    Row(19, "a year without label 3", REFUSE, "label 3/--version", brats_values(0, 1, 2, 3),
        ("--version", "2021")),
    Row(19, "a year that is none", REFUSE, "1999/2024", lambda root: brats(root),
        ("--version", "1999")),
    Row(20, "labels that are not Task01's", REFUSE, "liver/nnU-Net",
        lambda root: msd(root, names=("background", "liver", "vessel", "lesion")) / "dataset.json"),
    Row(21, "shapes differ", REFUSE, "shape/resample", label(labels(shape=(10, 12, 9)))),
    Row(22, "affine shifted by a voxel", REFUSE, "1 voxels/resample", label(affine=bent(x3=1.0))),
    Row(22, "affine mirrored", REFUSE, "voxels/resample", label(affine=bent(x0=1.0))),
    Row(22, "affine within rounding", ACCEPT, "", label(affine=bent(x3=0.01))),
    Row(23, "sform all zero", REFUSE, "determinant 0/sform_code",
        header(srow_x=0, srow_y=0, srow_z=0)),
    Row(23, "sform flat", REFUSE, "determinant 0/sform_code", header(srow_z=0)),
    Row(23, "sform NaN", REFUSE, "determinant 0/sform_code", header(srow_z=np.nan)),
    Row(23, "qform unlike sform", REFUSE, "disagree/code of the other", header(qform_code=1)),
    Row(23, "no orientation", REFUSE, "affine lies/resample", header(sform_code=0)),
    Row(24, "4D for 3D", REFUSE, "one volume/export", header(scan(1, (*SHAPE, 2)))),
    Row(24, "2D for 3D", REFUSE, "(10, 12)/export", header(scan(1, (10, 12)))),
    Row(24, "4D label", REFUSE, "one label map/export", label(np.zeros((*SHAPE, 2), np.uint8))),
    Row(24, "trailing axis of one", ACCEPT, "", header(scan(1, (*SHAPE, 1)))),
    Row(25, "a modality missing", QUARANTINE, "missing/copy", missing),
    Row(25, "a BraTS modality missing", QUARANTINE, "t1ce/download", missing_brats, BRATS_2020),
    Row(27, "the misnamed label of case 355", ACCEPT, "known wrong name", misnamed_label, BRATS_2020),
    Row(28, "complex voxels", REFUSE, "complex/export", header(scan(1).astype(np.complex64))),
    Row(29, "RGB24 voxels", REFUSE, "RGB/export", header(rgb_volume())),
    Row(31, "a slice missing", QUARANTINE, "missing/download", picture(None)),
    Row(31, "a mask missing", QUARANTINE, "is missing beside/download", picture(None, mask=True)),
    Row(31, "empty slice", QUARANTINE, "empty/download", picture(b"")),
    Row(31, "an HTML page", QUARANTINE, "HTML/download", picture(b"<!DOCTYPE html><html></html>")),
    Row(31, "truncated slice", QUARANTINE, "truncated/download", picture(tiff(slice_pixels(3))[:300])),
    Row(31, "truncated strips", QUARANTINE, "truncated/download",
        picture(tiff(slice_pixels(3), extra={279: (9000,)}))),
    Row(31, "damaged LZW", QUARANTINE, "truncated or damaged/download", picture(LZW_GREY[:9] + b"\xff" * 300 + LZW_GREY[309:])),
    Row(31, "a JPEG named .tif", QUARANTINE, "neither TIFF nor PNG/TIFF",
        picture(cv2.imencode(".jpg", slice_pixels(3))[1].tobytes())),
    Row(32, "60000 x 60000 claimed", REFUSE, "60000 x 60000/scale",
        picture(tiff(slice_pixels(3), claim=(60000, 60000)))),
    Row(34, "one 16-bit slice among 8-bit ones", REFUSE, "uint16/one bit depth",
        picture(tiff(slice_pixels(3).astype(np.uint16) * 256))),
    Row(35, "a float32 slice with NaN", REFUSE, "NaN/--nan-to-zero",
        picture(tiff(np.full((16, 16, 3), np.nan, np.float32)))),
    Row(36, "RGBA", REFUSE, "received 4/without alpha",
        picture(tiff(slice_pixels(3, (16, 16, 4)), extra={338: (1,)}))),
    Row(36, "RGBA as PNG", REFUSE, "received 4/without alpha", picture(png(slice_pixels(3, (16, 16, 4))))),
    Row(37, "two channels", REFUSE, "received 2/RGB",
        picture(tiff(slice_pixels(3, (16, 16, 2)), extra={338: (0,)}))),
    Row(37, "one channel", REFUSE, "received 1/RGB", picture(tiff(slice_pixels(3, (16, 16))))),
    Row(38, "two pages", REFUSE, "several pages/one slice", picture(tiff(slice_pixels(3), pages=2))),
    Row(39, "mask of 0 and 1", ACCEPT, "", picture(tiff(mask_pixels(1)), mask=True)),
    Row(39, "mask of one bit", ACCEPT, "", picture(tiff(mask_pixels(1), bits=1), mask=True)),
    Row(39, "mask of 0 and 7", REFUSE, "values 0, 7/threshold", picture(tiff(mask_pixels(7)), mask=True)),
    Row(39, "mask of 0, 1 and 255", REFUSE, "0, 1, 255/threshold",
        picture(tiff(mask_pixels(255) + np.eye(16, dtype=np.uint8)), mask=True)),
    Row(39, "coloured mask", REFUSE, "colours/0/255", picture(tiff(slice_pixels(3)), mask=True)),
    Row(40, "orientation on a non-square TIFF", QUARANTINE, "orientation tag 6/upright",
        picture(tiff(slice_pixels(3, (16, 12, 3)), extra={274: (6,)}))),
    Row(41, "PNG renamed .tif", ACCEPT, "is a PNG", picture(png(slice_pixels(3)))),
    Row(42, "a blank slice", ACCEPT, "1 blank slices", picture(BLANK)),
    Row(42, "a blank volume", ACCEPT, "1 blank slices or channels", header(np.ones(SHAPE, np.float32))),
    Row(43, "an empty mask", ACCEPT, "1 cases without", label(np.zeros(SHAPE, np.uint8))),
    Row(44, "the same bytes under two names", REFUSE, "same image/remove", same_bytes),
    Row(45, "._x.nii.gz and .DS_Store", ACCEPT, "2 cases", hidden_files),
    Row(45, "a link that leads nowhere", QUARANTINE, "leads nowhere/fetch", link_to_nowhere),
    Row(45, "a listed path out of the tree", REFUSE, "leads out/copy", listed_outside),
    Row(45, "fewer files than announced", REFUSE, "announces 3/numTraining", miscounted),
]  # fmt: skip


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("row", CORPUS, ids=str)
def test_owed(row: Row, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "SECONDS", float("inf"))  # a machine may stand still for a while
    culprit = str(row.make(tmp_path / "set"))
    before = snapshot(tmp_path)
    code = main(["data", "check", str(tmp_path / "set"), "--json", *row.options])
    out, err = capsys.readouterr()
    assert snapshot(tmp_path) == before
    {REFUSE: refused, QUARANTINE: quarantined, ACCEPT: accepted}[row.owed](
        row, code, out, err, culprit
    )
    for words in filter(None, row.says.split("/", 1)):
        assert words in err


def refused(row: Row, code: int, out: str, err: str, culprit: str) -> None:
    assert (code, out) == (2, "")
    (sentence,) = err.splitlines()
    assert sentence.startswith("gliozoo: ")
    assert sentence.endswith(".")
    assert culprit in sentence
    assert "/" in row.says, "a refusal owes a remedy"


def quarantined(row: Row, code: int, out: str, err: str, culprit: str) -> None:
    manifest = json.loads(out)
    status = {case["name"]: case["status"] for case in manifest["cases"]}
    assert code == 1
    assert sorted(status.values()) == ["ok", "quarantined"], "the rest is still checked"
    (reason,) = [case["reason"] for case in manifest["cases"] if case["reason"]]
    assert culprit in reason
    assert reason in err
    assert reason.endswith(".")
    assert "--allow-skips" in err
    assert "/" in row.says, "a quarantine owes a remedy"


def accepted(row: Row, code: int, out: str, err: str, culprit: str) -> None:
    manifest = json.loads(out)
    assert code == 0
    assert {case["status"] for case in manifest["cases"]} == {"ok"}
    assert len(manifest["cases"]) == 2


@pytest.mark.parametrize("row", [r for r in CORPUS if r.owed == QUARANTINE], ids=str)
def test_allow_skips_leaves_the_case_out(row: Row, tmp_path: Path, capsys):
    row.make(tmp_path / "set")
    assert main(["data", "check", str(tmp_path / "set"), "--allow-skips", *row.options]) == 0
    assert "quarantined" in capsys.readouterr().out


def test_every_line_of_the_specification_has_a_row():
    elsewhere = {
        26: "test_sources: names of modalities",
        30: "test_nifti: masks are uint8",
        33: "test_raster: colours",
        46: "test_archive",
    }
    assert {row.number for row in CORPUS} | elsewhere.keys() == set(range(1, 47))


def test_only_readable_cases_left_is_a_failure_even_if_skips_are_allowed(tmp_path, capsys):
    root = nnunet(tmp_path / "set")
    for path in (root / "imagesTr").iterdir():
        path.write_bytes(path.read_bytes()[:500])
    assert main(["data", "check", str(root), "--allow-skips"]) == 1


def test_file_that_the_system_will_not_read_is_quarantined(tmp_path, capsys, monkeypatch):
    path = nnunet(tmp_path / "set") / "imagesTr/B_0001.nii.gz"
    read = Path.read_bytes

    def denied(self):
        if self == path:
            raise PermissionError(13, "Permission denied", str(path))
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert main(["data", "check", str(tmp_path / "set")]) == 1
    assert f"{path}: can't be read (Permission denied)" in capsys.readouterr().out


def test_a_crc_error_is_what_zlib_calls_it():
    """Rows 3 name zlib's own words; they are pinned here, apart from the code that passes them on."""
    raw = pack(b"voxels" * 100)
    broken = raw[:-8] + struct.pack("<I", zlib.crc32(b"others")) + raw[-4:]
    with pytest.raises(zlib.error, match="incorrect data check"):
        zlib.decompressobj(31).decompress(broken)
