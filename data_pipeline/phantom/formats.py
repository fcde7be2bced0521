"""One phantom patient in the file formats of each of the four real layouts."""

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from data_pipeline.phantom.contrast import MODALITIES
from data_pipeline.phantom.patient import PatientVolume

# Where a phantom label goes in each layout: MSD gives 1 and 2 each other's meaning.
MSD_LABELS = np.array([0, 2, 1, 3], np.uint8)
BRATS_LABELS = np.array([0, 1, 2, 4], np.uint8)
MSD_CHANNELS = {"FLAIR": "flair", "T1w": "t1", "T1gd": "t1ce", "T2w": "t2"}
LGG_COLUMNS = (
    *("Patient", "RNASeqCluster", "MethylationCluster", "miRNACluster", "CNCluster"),
    *("RPPACluster", "OncosignCluster", "COCCluster", "histological_type"),
    *("neoplasm_histologic_grade", "tumor_tissue_site", "laterality", "tumor_location"),
    *("gender", "age_at_initial_pathologic", "race", "ethnicity", "death01"),
)


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


def write_index(root: Path, layout: str, patients: int) -> None:
    """Write the file that describes the whole cohort, where the layout has one."""
    if layout == "lgg":
        _write_lgg_table(root, patients)
    if layout in ("msd", "nnunet"):
        write_json(root / "dataset.json", _dataset_json(layout, patients))


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


def write_json(path: Path, value: dict) -> None:
    """Write a dict so that equal dicts give equal bytes."""
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


Writer = Callable[[Path, int, PatientVolume], None]
WRITERS: dict[str, Writer] = {
    "lgg": _write_lgg,
    "brats": _write_brats,
    "msd": _write_msd,
    "nnunet": _write_nnunet,
}
