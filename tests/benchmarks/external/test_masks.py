"""Masks of another tool: scored as hand-made counts say, refused where they do not fit."""

import json

import cv2
import numpy as np
import pytest
from make_nifti import labels, nifti, nnunet, pack
from make_tiff import lgg

from benchmarks.__main__ import main
from benchmarks.external import masks
from benchmarks.records import record, verify

CASES = tuple("ABCDE")
PROTOCOL = """
base = "smoke"
[data]
layout = "{layout}"
channels = [{channels}]
size = [16, 16]
folds = 3
[evaluate]
surfaces = false
"""


@pytest.fixture
def volumes(tmp_path):
    nnunet(tmp_path / "set", CASES)
    text = PROTOCOL.format(layout="nnunet", channels='"flair"')
    (tmp_path / "p.toml").write_text(text)
    (tmp_path / "masks").mkdir()
    return tmp_path


def score(folder, *options) -> int:
    words = ["score", str(folder / "masks"), "--name", "Other net", "--data", str(folder / "set")]
    words += ["--protocol", str(folder / "p.toml"), "--results", str(folder / "results")]
    return main([*words, "--cache", str(folder / "cache"), *options])


def predicted() -> np.ndarray:
    """The reference's first block moved by one voxel, and nothing of the second."""
    moved = np.zeros((10, 12, 8), np.uint8)
    moved[3:7, 4:6, 2:6] = 1
    return moved


def test_volumes_are_scored_by_hand_made_counts(volumes, capsys):
    for case, name in zip(CASES, ("A", "B_seg", "C-seg", "D", "E"), strict=True):
        assert name.startswith(case)
        path = volumes / "masks" / f"{name}.nii.gz"
        path.write_bytes(pack(nifti(predicted())))
    assert score(volumes, "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    # The blocks of 1 and 2 are 4x2x4 each; of the first, 3x2x4 voxels are met.
    assert told["dice"] == pytest.approx(2 * 24 / (64 + 32))
    assert told["param_count"] is None
    found = record.read(told["record"])
    assert not verify.mismatches(found)
    assert found.name.startswith("Other net@")
    row = found.patients[0]["regions"]
    assert [next(iter(row.values()))[name] for name in ("tp", "fp", "fn")] == [24, 8, 40]
    assert {p["patient"] for p in found.patients} == set(found.data["split"]["test"])


def test_other_masks_are_another_row(volumes, capsys):
    for fill in (1, 2):
        for case in CASES:
            path = volumes / "masks" / f"{case}.nii.gz"
            path.write_bytes(pack(nifti(predicted() * fill)))
        assert score(volumes) == 0
    assert len(record.paths(volumes / "results")) == 2


def spoil(folder, how: str) -> None:
    for case in CASES:
        array, affine = predicted(), ((-1.0, 0, 0, 0), (0, -1.0, 0, 11), (0, 0, 1.0, 0))
        if how == "shape":
            array = array[:-1]
        if how == "label":
            array[0, 0, 0] = 9
        if how == "place":
            affine = ((-1.0, 0, 0, 5), (0, -1.0, 0, 11), (0, 0, 1.0, 0))
        name = f"{case}0" if how == "missing" else case
        path = folder / "masks" / f"{name}.nii.gz"
        path.write_bytes(pack(nifti(array, affine=affine)))
        if how == "twice":
            (folder / "masks" / f"{case}_seg.nii.gz").write_bytes(path.read_bytes())
        if how == "damaged":
            path.write_bytes(path.read_bytes()[:40])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("shape", "resample"),
        ("place", "voxels off"),
        ("label", "9"),
        ("missing", "test cases have no mask"),
        ("twice", "second mask of A"),
        ("damaged", ".nii.gz"),
    ],
)
def test_masks_that_do_not_fit_are_refused_and_nothing_is_written(volumes, how, said, capsys):
    spoil(volumes, how)
    assert score(volumes) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not (volumes / "results").exists()


def test_slices_are_found_by_the_names_of_their_images(tmp_path, capsys):
    names = [f"TCGA_CS_49{n}_20000101" for n in range(41, 46)]
    lgg(tmp_path / "set", names)
    (tmp_path / "p.toml").write_text(PROTOCOL.format(layout="lgg", channels='"flair"'))
    (tmp_path / "masks").mkdir()
    for path in (tmp_path / "set").rglob("*_mask.tif"):
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        stem = path.stem if "41" in path.stem else path.stem.removesuffix("_mask")
        cv2.imwrite(str(tmp_path / "masks" / f"{stem}.png"), mask)
    assert score(tmp_path, "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["dice"] == 1.0


@pytest.mark.parametrize(
    "words",
    [["--name", ""], ["--name", "unet"], ["--fold", "3"], ["--protocol", "lgg2d_lite_leaky"]],
)
def test_what_can_not_be_asked_is_refused(volumes, words, capsys):
    spoil(volumes, "nothing")
    assert score(volumes, *words) == 2
    assert masks.LONGEST == 60


def test_labels_helper_is_as_assumed():
    assert (labels() == 1).sum() == (labels() == 2).sum() == 32
