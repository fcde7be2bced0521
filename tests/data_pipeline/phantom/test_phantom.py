"""Phantom patients: the same by seed everywhere, right in every layout, tumours as promised."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from data_pipeline import sources
from data_pipeline.cases.read_case import read_case
from data_pipeline.errors import UserError
from data_pipeline.phantom import MODALITIES, folder, generate
from data_pipeline.phantom.tumour import KINDS, kind_of
from data_pipeline.phantom.write import LAYOUTS, MARKER, ensure, write

SIZE, PATIENTS = 32, 3


def digests(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    root = tmp_path_factory.mktemp("cohorts")
    return {layout: write(root / layout, layout, PATIENTS, SIZE, seed=3) for layout in LAYOUTS}


@pytest.fixture(scope="module")
def patients():
    return [generate(3, index, SIZE) for index in range(PATIENTS)]


def nifti(path: Path) -> np.ndarray:
    """Read a file as (slices, rows, columns, ...) without the code under test."""
    array = np.asarray(nibabel.load(path).dataobj)
    return array.transpose(2, 1, 0, *range(3, array.ndim))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bytes_are_equal_across_runs_and_worker_counts(cohorts, layout, tmp_path):
    again = write(tmp_path / "again", layout, PATIENTS, SIZE, seed=3, workers=1)
    assert digests(again) == digests(cohorts[layout])
    other = write(tmp_path / "other", layout, 1, SIZE, seed=4)
    assert not {*digests(other).values()} & {
        digest
        for name, digest in digests(cohorts[layout]).items()
        if not name.endswith(("_mask.tif", ".json", ".csv"))
    }


def test_brats_reads_back(cohorts, patients):
    for number, patient in enumerate(patients, start=1):
        stem = cohorts["brats"] / f"Phantom_{number:05d}" / f"Phantom_{number:05d}"
        for channel, modality in enumerate(MODALITIES):
            read = nifti(Path(f"{stem}_{modality}.nii.gz"))
            np.testing.assert_array_equal(read, patient.image[..., channel] * patient.brain)
        labels = nifti(Path(f"{stem}_seg.nii.gz"))
        assert labels.dtype == np.uint8
        assert set(np.unique(labels)) <= {0, 1, 2, 4}
        for ours, theirs in ((1, 1), (2, 2), (3, 4)):
            np.testing.assert_array_equal(labels == theirs, patient.labels == ours)


def test_msd_reads_back_in_its_own_order_of_labels_and_channels(cohorts, patients):
    content = json.loads((cohorts["msd"] / "dataset.json").read_text())
    assert content["modality"] == {"0": "FLAIR", "1": "T1w", "2": "T1gd", "3": "T2w"}
    assert content["labels"]["1"] == "edema"
    for entry, patient in zip(content["training"], patients, strict=True):
        image = nifti(cohorts["msd"] / entry["image"])
        labels = nifti(cohorts["msd"] / entry["label"])
        np.testing.assert_array_equal(image, patient.image * patient.brain[..., None])
        for ours, theirs in ((1, 2), (2, 1), (3, 3)):
            np.testing.assert_array_equal(labels == theirs, patient.labels == ours)


def test_nnunet_reads_back(cohorts, patients):
    root = cohorts["nnunet"]
    content = json.loads((root / "dataset.json").read_text())
    assert content["numTraining"] == PATIENTS
    assert list(content["channel_names"].values()) == list(MODALITIES)
    for number, patient in enumerate(patients, start=1):
        for channel in range(4):
            read = nifti(root / "imagesTr" / f"PHANTOM_{number:03d}_{channel:04d}.nii.gz")
            np.testing.assert_array_equal(read, patient.image[..., channel] * patient.brain)
        labels = nifti(root / "labelsTr" / f"PHANTOM_{number:03d}.nii.gz")
        np.testing.assert_array_equal(labels, patient.labels)


def test_lgg_reads_back_in_the_right_colours(cohorts, patients):
    for number, patient in enumerate(patients, start=1):
        name = f"PHANTOM_00_{number:04d}_20260101"
        folder, shown = cohorts["lgg"] / name, patient.shown()
        assert len(list(folder.iterdir())) == 2 * len(shown)
        for index, expected in enumerate(shown):
            path = folder / f"{name}_{index + 1}.tif"
            blue, green, red = np.moveaxis(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), -1, 0)
            for colour, modality in ((red, "t1"), (green, "flair"), (blue, "t1ce")):
                np.testing.assert_array_equal(colour, expected[..., MODALITIES.index(modality)])
            mask = cv2.imread(str(path.with_name(f"{path.stem}_mask.tif")), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(mask, (patient.labels[index] > 0) * np.uint8(255))
    rows = (cohorts["lgg"] / "data.csv").read_text().splitlines()
    assert len(rows) == PATIENTS + 1
    assert rows[1].startswith("PHANTOM_00_0001,")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sources_find_and_read_what_was_written(cohorts, patients, layout):
    found = sources.find(cohorts[layout])
    assert sources.detect(cohorts[layout]) == "phantom"
    assert (found.layout, len(found.cases), found.warnings) == (layout, PATIENTS, ())
    for case, patient in zip(found.cases, patients, strict=True):
        volume = read_case(case)
        expected = (patient.labels > 0) if layout == "lgg" else patient.labels
        np.testing.assert_array_equal(volume.label, expected)
        assert volume.warnings == ()


def test_affine_states_the_spacing_and_the_axes(cohorts, patients):
    image = nibabel.load(cohorts["nnunet"] / "labelsTr" / "PHANTOM_001.nii.gz")
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    np.testing.assert_allclose(image.header.get_zooms(), [patients[0].spacing] * 3, rtol=1e-6)
    assert image.shape == (SIZE, SIZE, round(0.6 * SIZE))


@pytest.mark.parametrize("seed", range(5))
def test_every_dozen_has_the_same_mix_of_diseases(seed):
    for start in (0, 12):
        assert sorted(kind_of(seed, start + n) for n in range(12)) == sorted(KINDS)


def test_diseases_look_as_they_are_called():
    for index in range(12):
        patient = generate(0, index, 48)
        present = set(np.unique(patient.labels))
        assert (patient.labels[~patient.brain] == 0).all()
        slices = (patient.labels > 0).any((1, 2))
        if patient.kind == "none":
            assert present == {0}
            continue
        assert 0.1 < slices.mean() < 0.9
        assert {0, 1, 2} <= present or patient.kind == "solid"
        assert (3 in present) == (patient.kind != "low grade")


def test_contrasts_are_as_in_reality():
    """Edema: bright on FLAIR and T2, dark on T1. Rim: bright after contrast, and only there."""
    seen = 0
    for index in range(12):
        patient = generate(1, index, 48)
        if (patient.labels == 3).sum() < 20:
            continue
        seen += 1
        healthy = patient.image[patient.brain & (patient.labels == 0)]
        typical, white_on_t1 = np.median(healthy, 0), np.percentile(healthy, 75, axis=0)
        edema, rim = (patient.image[patient.labels == label].mean(0) for label in (2, 3))
        flair, t1, t1ce, t2 = range(4)
        assert edema[flair] > 1.2 * typical[flair]
        assert edema[t2] > 1.05 * typical[t2]
        assert edema[t1] < white_on_t1[t1]
        assert rim[t1ce] / rim[t1] > 1.1 * typical[t1ce] / typical[t1]
    assert seen >= 5


def test_the_same_patient_at_every_size():
    volumes = []
    for size in (32, 64):
        patient = generate(0, 1, size)
        volumes.append(
            [(patient.labels > 0).sum(), patient.brain.sum()] * np.array(patient.spacing**3)
        )
    np.testing.assert_allclose(volumes[0], volumes[1], rtol=0.12)


def test_slabs_fit_together(monkeypatch):
    whole = generate(0, 2, 48)
    monkeypatch.setattr("data_pipeline.phantom.patient.SLAB_VOXELS", 4 * 48 * 48)
    np.testing.assert_array_equal(generate(0, 2, 48).image, whole.image)


def test_writing_refuses_what_it_did_not_write(tmp_path):
    keep = tmp_path / "thesis.tex"
    keep.write_text("years of work")
    with pytest.raises(UserError, match="would be lost"):
        write(tmp_path, "lgg", 1, 16)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "bad", [{"layout": "dicom"}, {"patients": 0}, {"size": 8}, {"size": 4096}, {"seed": -1}]
)
def test_impossible_cohorts_are_refused_before_anything_is_written(tmp_path, bad):
    with pytest.raises(UserError, match=r"Expected .* Received: "):
        write(tmp_path / "new", **{"layout": "lgg", "patients": 1, "size": 16, **bad})
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_earlier_cohort_and_no_crumbs(tmp_path, monkeypatch):
    root = write(tmp_path / "cohort", "nnunet", 1, 16)
    before = digests(root)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data_pipeline.phantom.write.write_index", full)
    with pytest.raises(UserError, match=f"{root}: can't be written .*No space"):
        write(root, "nnunet", 1, 16, seed=1)
    assert digests(root) == before
    assert [path.name for path in tmp_path.iterdir()] == ["cohort"]


def test_another_layout_replaces_an_earlier_cohort_whole(tmp_path):
    root = write(tmp_path / "cohort", "nnunet", 1, 16)
    write(root, "lgg", 1, 16)
    assert not (root / "imagesTr").exists()
    assert json.loads((root / MARKER).read_text())["layout"] == "lgg"


def test_ensure_writes_once(tmp_path):
    root = ensure(tmp_path, "nnunet", 1, 16)
    stamp = (root / MARKER).stat().st_mtime_ns
    assert ensure(tmp_path, "nnunet", 1, 16) == root
    assert (root / MARKER).stat().st_mtime_ns == stamp
    assert ensure(tmp_path, "nnunet", 1, 16, seed=1) != root


def test_processes_that_ensure_a_cohort_at_once_write_it_once_and_all_find_it_whole(tmp_path):
    code = (
        "import sys; from data_pipeline.phantom import write; "
        "root = write.ensure(sys.argv[1], 'brats', 2, 16); "
        "print((root / write.MARKER).stat().st_mtime_ns)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    several = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = {process.communicate()[0] for process in several}
    assert [process.returncode for process in several] == [0] * 4
    assert len(told) == 1


def test_what_others_put_into_a_cohort_is_not_removed(tmp_path):
    root = write(tmp_path / "cohort", "nnunet", 1, 16)
    keep = root / "TCGA_real" / "scan.nii.gz"
    keep.parent.mkdir()
    keep.write_bytes(b"years of work")
    before = digests(root)
    with pytest.raises(UserError, match=r"it holds TCGA_real/scan.nii.gz, which would be lost"):
        write(root, "nnunet", 1, 16, seed=1)
    assert digests(root) == before
    assert [path.name for path in tmp_path.iterdir()] == ["cohort"]


@pytest.mark.parametrize("kind", ["folder", "link", "loop"])
def test_nor_are_folders_and_links(tmp_path, kind):
    root = write(tmp_path / "cohort", "nnunet", 1, 16)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("years of work")
    if kind == "folder":
        (root / "mine").mkdir()
    else:
        (root / "mine").symlink_to(outside if kind == "link" else "mine")
    with pytest.raises(UserError, match="it holds mine, which would be lost"):
        write(root, "nnunet", 1, 16)
    assert (outside / "mine").read_text() == "years of work"


@pytest.mark.parametrize(
    "files", [None, [], "imagesTr", [["x"]], {"dataset.json": 1}], ids=lambda files: str(files)
)
def test_a_marker_that_lists_no_files_frees_none(tmp_path, files):
    """Markers of earlier versions list none, and are read like any other."""
    root = write(tmp_path / "cohort", "nnunet", 1, 16)
    marker = json.loads((root / MARKER).read_text())
    marker.pop("files")
    (root / MARKER).write_text(json.dumps(marker | ({} if files is None else {"files": files})))
    before = digests(root)
    with pytest.raises(UserError, match="name another folder"):
        write(root, "nnunet", 1, 16, seed=1)
    assert digests(root) == before
    assert sources.find(root).layout == "nnunet"


def test_a_cohort_of_an_earlier_version_in_the_cache_is_used_on(tmp_path):
    root = ensure(tmp_path, "nnunet", 1, 16)
    marker = json.loads((root / MARKER).read_text())
    del marker["files"]
    (root / MARKER).write_text(json.dumps(marker))
    assert ensure(tmp_path, "nnunet", 1, 16) == root


KILLED = """
import os, signal, sys
from data_pipeline.phantom import write
write.write_index = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write.write(sys.argv[1], "lgg", 1, 16)
"""


def test_what_a_kill_left_is_cleared_by_the_next_run_and_nothing_else_is(tmp_path):
    root = tmp_path / "cohort"
    done = subprocess.run([sys.executable, "-c", KILLED, str(root)], check=False)
    assert done.returncode == -signal.SIGKILL
    left, lock = sorted(tmp_path.iterdir())
    assert lock.name == f"{left.name}.lock"
    assert left.name.startswith(".cohort-")
    mine = tmp_path / ".cohort-my_notes"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    held = tmp_path / ".cohort-12345678"
    held.mkdir()
    (held / folder.UNFINISHED).touch()
    with folder._held(held):  # as another process that is writing holds it
        write(root, "lgg", 1, 16)
    assert {path.name for path in tmp_path.iterdir()} == {"cohort", mine.name, held.name}
    assert not (root / folder.UNFINISHED).exists()
    assert digests(root) == digests(write(root, "lgg", 1, 16))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"gliozoo": "phantom", "layout": []}', "\xff"])
def test_a_marker_that_is_none_is_one_sentence(tmp_path, text):
    (tmp_path / MARKER).write_text(text, encoding="latin-1")
    with pytest.raises(UserError):
        sources.find(tmp_path)
    with pytest.raises(UserError, match="expected a phantom cohort"):
        sources.find(tmp_path, "phantom")
