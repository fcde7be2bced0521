"""The check as a whole: what the manifest says, and a fingerprint of content alone."""

import gzip
import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from make_nifti import brats, labels, msd, nifti, nnunet, pack
from make_tiff import DEFLATE, lgg, mask_pixels, slice_pixels, tiff

from data_pipeline.checking.check import check
from data_pipeline.errors import UserError


def test_manifest_tells_what_is_there(tmp_path):
    manifest = check(nnunet(tmp_path / "set"))
    record = manifest.as_json()["cases"][0]
    assert record["status"] == "ok"
    assert (record["name"], record["patient"]) == ("A", "A")
    assert record["shape"] == (8, 12, 10, 2)
    assert record["spacing"] == (1, 1, 1)
    assert record["label_voxels"] == {
        "background": labels().size - np.count_nonzero(labels()),
        "edema": 32,
        "enhancing": 32,
    }
    assert record["label_ml"]["edema"] == pytest.approx(0.032)
    assert record["tumour_slices"] == 4
    assert len(record["files"]) == 3
    text = json.dumps(manifest.as_json(), allow_nan=False, sort_keys=True)
    assert json.loads(text)["fingerprint"] == manifest.fingerprint


def test_pictures_state_no_millimetres(tmp_path):
    record = check(lgg(tmp_path / "set")).records[0]
    assert record.spacing is None
    assert record.label_ml is None
    assert record.burden == pytest.approx(30 / 256)


def test_fingerprint_ignores_path_workers_and_compression(tmp_path):
    first = check(lgg(tmp_path / "set"), workers=1).fingerprint
    moved = tmp_path / "elsewhere/again"
    shutil.copytree(tmp_path / "set", moved)
    for path in moved.rglob("*.tif"):
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        rgb = pixels if pixels.ndim == 2 else pixels[..., ::-1]
        path.write_bytes(tiff(rgb, compression=DEFLATE, order=">"))
    assert check(moved, workers=3).fingerprint == first


def test_fingerprint_ignores_gzip(tmp_path):
    root = nnunet(tmp_path / "set")
    first = check(root).fingerprint
    for path in root.rglob("*.nii.gz"):
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 9))
    assert check(root).fingerprint == first


@pytest.mark.parametrize("what", ["voxel", "label", "place", "name"])
def test_fingerprint_changes_with_what_is_learnt_from(tmp_path, what):
    root = lgg(tmp_path / "set") if what == "name" else nnunet(tmp_path / "set")
    first = check(root).fingerprint
    image, mask = root / "imagesTr/A_0000.nii.gz", root / "labelsTr/A.nii.gz"
    if what == "name":
        case = root / "kaggle_3m/TCGA_CS_4941_19960909"
        case.rename(case.with_name("TCGA_CS_9999_19960909"))
    elif what == "voxel":
        raw = bytearray(gzip.decompress(image.read_bytes()))
        raw[-2] ^= 1
        image.write_bytes(pack(bytes(raw)))
    elif what == "label":
        mask.write_bytes(pack(nifti(labels((0, 2, 1)))))
    else:
        for path in (image, image.with_name("A_0001.nii.gz"), mask):
            raw = bytearray(gzip.decompress(path.read_bytes()))
            raw[292:296] = np.float32(4).tobytes()  # srow_x[3]
            path.write_bytes(pack(bytes(raw)))
    assert check(root).fingerprint != first


def test_all_refusals_are_named_in_one_sentence(tmp_path):
    root = nnunet(tmp_path / "set", cases=tuple("ABCDEFG"))
    for name in "BCDEFG":
        (root / f"imagesTr/{name}_0000.nii.gz").write_bytes(b"")
    with pytest.raises(UserError) as refusal:
        check(root)
    text = str(refusal.value)
    assert all(f"{name}_0000" in text for name in "BCDE")
    assert text.endswith("and 2 more.")


def test_copy_of_a_case_under_another_compression_is_refused(tmp_path):
    root = nnunet(tmp_path / "set")
    for channel in ("0000", "0001"):
        source = root / f"imagesTr/A_{channel}.nii.gz"
        target = root / f"imagesTr/B_{channel}.nii.gz"
        target.write_bytes(gzip.compress(gzip.decompress(source.read_bytes()), 9))
    with pytest.raises(UserError, match="same image"):
        check(root)


def test_blank_slices_are_no_copies(tmp_path):
    root = lgg(tmp_path / "set")
    for path in root.rglob("*_1.tif"):
        path.write_bytes(tiff(np.zeros((16, 16, 3), np.uint8)))
    assert sum(record.constant for record in check(root).records) == 2


def test_mask_of_another_size_is_refused(tmp_path):
    path = next(lgg(tmp_path / "set").rglob("*_mask.tif"))
    path.write_bytes(tiff(mask_pixels(255, (16, 20))))
    with pytest.raises(UserError, match=path.name):
        check(tmp_path / "set")


def test_sixteen_bits_are_kept(tmp_path):
    root = lgg(tmp_path / "set")
    for number, path in enumerate(sorted(root.rglob("*[0-9].tif"))):
        path.write_bytes(tiff(slice_pixels(number).astype(np.uint16) * 257))
    assert {record.dtype for record in check(root).records} == {"float32"}


def test_quarantine_must_be_allowed_before_it_is_skipped(tmp_path):
    root = nnunet(tmp_path / "set")
    (root / "imagesTr/B_0000.nii.gz").unlink()
    manifest = check(root)
    with pytest.raises(UserError, match="--allow-skips"):
        manifest.usable()
    assert [case.name for case in manifest.usable(allow_skips=True)] == ["A"]
    assert manifest.burdens().keys() == {"A"}


def test_checking_imports_neither_tensorflow_nor_keras(tmp_path):
    code = (
        "import sys; from data_pipeline.checking.check import check; "
        f"check({str(nnunet(tmp_path / 'set'))!r}); "
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("make", [lgg, brats, msd, nnunet], ids=lambda make: make.__name__)
def test_sound_set_of_each_layout_is_clean_though_its_labels_are_alike(tmp_path, make):
    manifest = check(make(tmp_path / "set"), version="2020" if make is brats else None)
    assert [record.reason for record in manifest.records] == [None, None]
    for record, case in zip(manifest.records, manifest.dataset.cases, strict=True):
        assert len(record.files) == len(case.images) + len(case.masks)
