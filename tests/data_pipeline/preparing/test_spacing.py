"""Voxels of one size: what a store holds of them, and the way back to a scan's own."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest
from make_nifti import nifti, nnunet, pack

import data_pipeline
from benchmarks.__main__ import main
from data_pipeline import DataSpec, UserError
from data_pipeline.cases.case import Case
from data_pipeline.preparing.preparation import Preparation
from data_pipeline.scans import predicted_scan

NAMES = ("t1", "flair")
SPEC = DataSpec(
    layout="nnunet", rank=3, size=(4, 4, 4), channels=("flair", "t1ce"), target="whole", folds=2
)
UNSTATED = {"sform_code": 0, "pixdim": [1, 0, 0, 0, 0, 0, 0, 0]}


def sized(*sides: float) -> np.ndarray:
    """Return the rows of an affine of these sides of a voxel, to the left, the back, the head."""
    return np.array([[-sides[0], 0, 0, 0], [0, -sides[1], 0, 0], [0, 0, sides[2], 0]])


def case_of(folder, voxels: list[np.ndarray], affine: np.ndarray, **fields) -> Case:
    paths = []
    for name, array in zip(NAMES, voxels, strict=True):
        paths.append(folder / f"{name}.nii")
        paths[-1].write_bytes(nifti(array, affine=affine, **fields))
    return Case("A", "A", "volumes", NAMES, tuple(paths), (), {})


@pytest.fixture
def coarse():
    """Two channels of 2 mm voxels with nothing around them."""
    draw = np.random.default_rng(0)
    voxels = [np.pad(draw.uniform(1, 9, (12, 14, 10)), 3).astype(np.float32) for _ in NAMES]
    return voxels, sized(2, 2, 2)


def test_a_scan_of_halved_voxels_is_seen_as_the_same_scan(coarse, tmp_path):
    voxels, affine = coarse
    fine = [np.kron(array, np.ones((2, 2, 2), np.float32)) for array in voxels]
    plain = Preparation(3, (8, 8, 8), NAMES, "zscore_brain")
    for folder in ("coarse", "fine"):
        (tmp_path / folder).mkdir()
    _, expected = predicted_scan.read(case_of(tmp_path / "coarse", voxels, affine), plain)
    halved = case_of(tmp_path / "fine", fine, sized(1, 1, 1))
    scan, found = predicted_scan.read(halved, replace(plain, spacing=(2.0, 2.0, 2.0)))
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), atol=1e-4)
    assert scan.resampled
    back = scan.geometry.to_native(np.asarray(found), np.zeros(2))
    assert back.shape == (*fine[0].shape[::-1], 2)
    scan, _ = predicted_scan.read(halved, replace(plain, spacing=(1.05, 1.0, 1.0)))
    assert not scan.resampled


def test_the_sides_are_those_of_slices_rows_and_columns(coarse, tmp_path):
    voxels, _ = coarse
    case = case_of(tmp_path, voxels, sized(1, 2, 4))
    asked = Preparation(3, (8, 8, 8), NAMES, "zscore_brain", (4.0, 1.0, 1.0))
    scan, found = predicted_scan.read(case, asked)
    across, down, up = (side - 6 for side in voxels[0].shape)  # without what lies around
    assert found.shape == (up, down * 2, across, 2)
    assert scan.volume.spacing == (4, 2, 1)


def test_a_size_that_is_not_stated_or_not_meant_is_refused(coarse, tmp_path):
    voxels, affine = coarse
    asked = Preparation(3, (8, 8, 8), NAMES, "zscore_brain", (1.0, 1.0, 1.0))
    with pytest.raises(UserError, match="state no voxel size, and voxels of 1 x 1 x 1 mm"):
        predicted_scan.read(case_of(tmp_path, voxels, affine, **UNSTATED), asked)
    for sides in ((9e3, 9e3, 9e3), (2e-3, 2e-3, 2e-3)):
        with pytest.raises(UserError, match="GiB"):
            predicted_scan.read(case_of(tmp_path, voxels, sized(*sides)), asked)


def test_a_store_is_of_the_size_asked_for_and_scores_lie_on_the_scans_own(solid, cache):
    plain = data_pipeline.load(solid, cache=cache)
    own = plain.store.cases[0].spacing
    halved = replace(solid, spacing=tuple(side / 2 for side in own))
    data = data_pipeline.load(halved, cache=cache)
    assert data.fingerprint != plain.fingerprint
    assert data.split_digest == plain.split_digest
    for before, patient in zip(plain.patients("test"), data.patients("test"), strict=True):
        np.testing.assert_array_equal(patient.reference, before.reference)
        sides = [2 * side for side in before.geometry.shape]
        assert all(side >= n for side, n in zip(patient.geometry.shape, sides, strict=False))
        labels = patient.geometry.labels_to_model(patient.reference)
        lesion = np.eye(data.classes, dtype=np.float32)[labels]
        found = patient.restore(lesion).argmax(-1)
        both = 2 * np.count_nonzero((found > 0) & (patient.reference > 0))
        assert both / (np.count_nonzero(found) + np.count_nonzero(patient.reference)) > 0.9
    images, masks = next(iter(data.train))
    assert images.shape[1:4] == masks.shape[1:4] == solid.size


def test_what_has_the_size_already_shares_its_store(solid, cache, tmp_path):
    plain = data_pipeline.load(solid, cache=cache)
    near = replace(solid, spacing=tuple(side * 1.02 for side in plain.store.cases[0].spacing))
    assert data_pipeline.load(near, cache=cache).fingerprint == plain.fingerprint
    kept = data_pipeline.load(near, root=cache / "stores", cache=tmp_path)
    assert kept.fingerprint == plain.fingerprint


def test_a_store_is_prepared_at_a_size_by_the_command(tmp_path, capsys):
    root = nnunet(tmp_path / "set", cases=("A", "B", "C", "D"))
    command = ["data", "prepare", str(root), "--out", str(tmp_path / "store"), "--size"]
    assert main([*command, "4,4,4", "--spacing", "2,1,0.5"]) == 0
    assert "4x4x4 at 2 x 1 x 0.5 mm" in capsys.readouterr().out
    spaced = replace(SPEC, spacing=(2, 1, 0.5))
    data = data_pipeline.load(spaced, root=tmp_path / "store", cache=tmp_path / "cache")
    assert data.store.cases[0].geometry.resampled
    with pytest.raises(UserError, match="expected one store"):
        data_pipeline.load(SPEC, root=tmp_path / "store", cache=tmp_path / "cache")
    for size, spacing in (
        ("4,4,4", "1,1"),
        ("4,4,4", "1,1,x"),
        ("4,4,4", "1,1,-1"),
        ("4,4", "1,1,1"),
    ):
        assert main([*command, size, "--spacing", spacing]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_one_training_scan_without_a_size_is_refused_by_name(tmp_path):
    root = nnunet(tmp_path / "set", cases=("A", "B", "C", "D"))
    spec = replace(SPEC, spacing=(1, 1, 1))
    data_pipeline.load(spec, root=root, cache=tmp_path / "cache")
    for path in root.rglob("C*.nii.gz"):
        voxels = np.asarray(nibabel.load(path).dataobj)
        path.write_bytes(pack(nifti(voxels, **UNSTATED)))
    with pytest.raises(UserError, match=r"C: its files state no voxel size"):
        data_pipeline.load(spec, root=root, cache=tmp_path / "cache")
