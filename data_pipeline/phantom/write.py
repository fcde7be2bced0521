"""Phantom cohorts on disk, in the very formats of the four real layouts."""

import csv
import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from data_pipeline.errors import UserError
from data_pipeline.phantom.contrast import MODALITIES
from data_pipeline.phantom.patient import PatientVolume, check_size, generate

MARKER = "phantom.json"
VERSION = 1  # of the pictures: raised whenever the same seed gives other voxels
# Where a phantom label goes in each layout: MSD gives 1 and 2 each other's meaning.
MSD_LABELS = np.array([0, 2, 1, 3], np.uint8)
BRATS_LABELS = np.array([0, 1, 2, 4], np.uint8)
MSD_CHANNELS = {"FLAIR": "flair", "T1w": "t1", "T1gd": "t1ce", "T2w": "t2"}
LGG_COLUMNS = (
    "Patient,RNASeqCluster,MethylationCluster,miRNACluster,CNCluster,RPPACluster,OncosignCluster,"
    "COCCluster,histological_type,neoplasm_histologic_grade,tumor_tissue_site,laterality,"
    "tumor_location,gender,age_at_initial_pathologic,race,ethnicity,death01"
).split(",")


def write(root: str | Path, layout: str, patients: int = 12, size: int = 64, seed: int = 0) -> Path:
    """Write a cohort whole or not at all; a folder of an earlier cohort is replaced."""
    root = Path(root)
    _check(root, layout, patients, size, seed)
    root.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        _write_cohort(aside, layout, patients, size, seed)
        aside.chmod(0o755)
        if root.exists():
            shutil.rmtree(root)
        os.replace(aside, root)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return root


def _check(root: Path, layout: str, patients: int, size: int, seed: int) -> None:
    if layout not in LAYOUTS:
        raise UserError(f"Expected a layout of {', '.join(LAYOUTS)}. Received: {layout!r}.")
    check_size(size)
    if not 1 <= patients <= 99999:
        raise UserError(f"Expected from 1 to 99999 patients. Received: {patients}.")
    if seed < 0:
        raise UserError(f"Expected a seed of 0 or more. Received: {seed}.")
    if root.exists() and not root.is_dir():
        raise UserError(f"{root}: expected a folder to write to, found a file; name another one.")
    if root.is_dir() and any(root.iterdir()) and not (root / MARKER).is_file():
        raise UserError(
            f"{root}: expected an empty folder or an earlier phantom cohort (with {MARKER}); it "
            "holds other files, which would be lost: name another folder."
        )


def _write_cohort(root: Path, layout: str, patients: int, size: int, seed: int) -> None:
    writer = _WRITERS[layout]

    def one(index: int) -> None:
        writer(root, index + 1, generate(seed, index, size))

    with ThreadPoolExecutor(min(patients, os.cpu_count() or 1)) as pool:
        list(pool.map(one, range(patients)))
    if layout == "lgg":
        _write_lgg_table(root, patients)
    if layout in ("msd", "nnunet"):
        _write_json(root / "dataset.json", _dataset_json(layout, patients))
    facts = {"layout": layout, "patients": patients, "seed": seed, "size": size, "version": VERSION}
    _write_json(root / MARKER, {"gliozoo": "phantom", **facts})


def _write_brats(root: Path, number: int, patient: PatientVolume) -> None:
    name = f"Phantom_{number:05d}"
    (root / name).mkdir()
    for channel, modality in enumerate(MODALITIES):
        path = root / name / f"{name}_{modality}.nii.gz"
        _write_nifti(path, patient.stripped()[..., channel], patient.spacing)
    path = root / name / f"{name}_seg.nii.gz"
    _write_nifti(path, BRATS_LABELS[patient.labels], patient.spacing)


def _write_msd(root: Path, number: int, patient: PatientVolume) -> None:
    name = f"PHANTOM_{number:03d}.nii.gz"
    order = [MODALITIES.index(modality) for modality in MSD_CHANNELS.values()]
    _save(root / "imagesTr" / name, patient.stripped()[..., order], patient.spacing)
    _save(root / "labelsTr" / name, MSD_LABELS[patient.labels], patient.spacing)


def _write_nnunet(root: Path, number: int, patient: PatientVolume) -> None:
    name = f"PHANTOM_{number:03d}"
    for channel in range(len(MODALITIES)):
        path = root / "imagesTr" / f"{name}_{channel:04d}.nii.gz"
        _save(path, patient.stripped()[..., channel], patient.spacing)
    _save(root / "labelsTr" / f"{name}.nii.gz", patient.labels, patient.spacing)


def _save(path: Path, array: np.ndarray, spacing: float) -> None:
    path.parent.mkdir(exist_ok=True)
    _write_nifti(path, array, spacing)


def _write_nifti(path: Path, array: np.ndarray, spacing: float) -> None:
    import nibabel

    # From (slices, rows, columns, ...) to BraTS's (x to the left, y to the back, z up).
    stored = array.transpose(2, 1, 0, *range(3, array.ndim))
    affine = np.diag([-spacing, -spacing, spacing, 1.0])
    affine[:3, 3] = np.array([1, 1, -1]) * spacing * (np.array(stored.shape[:3]) - 1) / 2
    image = nibabel.Nifti1Image(stored, affine)
    image.header.set_xyzt_units("mm", "sec")
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))


def _write_lgg(root: Path, number: int, patient: PatientVolume) -> None:
    name = f"{_lgg_patient(number)}_20260101"
    (root / name).mkdir()
    shown = patient.shown()[..., [MODALITIES.index(m) for m in ("t1", "flair", "t1ce")]]
    masks = np.where(patient.labels > 0, np.uint8(255), np.uint8(0))
    for slice_number, (picture, mask) in enumerate(zip(shown, masks, strict=True), start=1):
        path = root / name / f"{name}_{slice_number}.tif"
        _write_tiff(path, np.ascontiguousarray(picture[..., ::-1]))
        _write_tiff(path.with_name(f"{path.stem}_mask.tif"), mask)


def _write_tiff(path: Path, picture: np.ndarray) -> None:
    import cv2

    fine, data = cv2.imencode(".tif", picture)
    if not fine:
        raise RuntimeError(f"OpenCV could not encode {path.name}")
    path.write_bytes(data.tobytes())


def _lgg_patient(number: int) -> str:
    return f"PHANTOM_00_{number:04d}"


def _write_lgg_table(root: Path, patients: int) -> None:
    with (root / "data.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(LGG_COLUMNS)
        blank = [""] * (len(LGG_COLUMNS) - 1)
        table.writerows([_lgg_patient(number), *blank] for number in range(1, patients + 1))


def _dataset_json(layout: str, patients: int) -> dict:
    names = [f"PHANTOM_{number:03d}" for number in range(1, patients + 1)]
    if layout == "nnunet":
        return {
            "channel_names": {str(i): name for i, name in enumerate(MODALITIES)},
            "labels": {"background": 0, "necrotic core": 1, "edema": 2, "enhancing tumor": 3},
            "numTraining": patients,
            "file_ending": ".nii.gz",
        }
    labels = ("background", "edema", "non-enhancing tumor", "enhancing tumour")
    return {
        "name": "BRATS",
        "description": "Synthetic gliomas in the layout of Task01_BrainTumour",
        "tensorImageSize": "4D",
        "modality": {str(i): name for i, name in enumerate(MSD_CHANNELS)},
        "labels": {str(i): name for i, name in enumerate(labels)},
        "numTraining": patients,
        "numTest": 0,
        "training": [
            {"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"}
            for name in names
        ],
        "test": [],
    }


def _write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


Writer = Callable[[Path, int, PatientVolume], None]
_WRITERS: dict[str, Writer] = {
    "lgg": _write_lgg,
    "brats": _write_brats,
    "msd": _write_msd,
    "nnunet": _write_nnunet,
}
LAYOUTS = tuple(_WRITERS)
