"""Scans of clinical size for `make perf-data`: small phantoms, enlarged, in real formats."""

import gzip
import json
from pathlib import Path

import cv2
import numpy as np

from data_pipeline.phantom import generate

SMALL = 48


def write_slices(root: Path, patients: int, side: int = 256) -> Path:
    """Write kaggle_3m folders of `side` x `side` TIFFs, once."""
    if root.is_dir():
        return root
    aside = root.with_suffix(".part")
    for number in range(patients):
        name = f"TCGA_CS_{4900 + number}_19990101"
        folder = aside / name
        folder.mkdir(parents=True, exist_ok=True)
        patient = generate(0, number, SMALL)
        images = patient.shown()[..., [1, 0, 2]]
        masks = np.where(patient.labels > 0, np.uint8(255), np.uint8(0))
        for index, (image, mask) in enumerate(zip(images, masks, strict=True), start=1):
            cv2.imwrite(str(folder / f"{name}_{index}.tif"), _enlarged(image, (side, side)))
            mask = np.where(_enlarged(mask, (side, side)) > 127, np.uint8(255), np.uint8(0))
            cv2.imwrite(str(folder / f"{name}_{index}_mask.tif"), mask)
    aside.rename(root)
    return root


def write_volumes(root: Path, patients: int, shape: tuple[int, int, int] = (155, 240, 240)) -> Path:
    """Write an nnU-Net folder of two modalities at the size of BraTS, once."""
    if root.is_dir():
        return root
    aside = root.with_suffix(".part")
    for folder in ("imagesTr", "labelsTr"):
        (aside / folder).mkdir(parents=True, exist_ok=True)
    for number in range(patients):
        patient = generate(0, number, SMALL)
        name = f"P_{number:03d}"
        for channel, modality in enumerate((0, 2)):
            volume = _volume(patient.stripped()[..., modality].astype(np.float32), shape, False)
            _save(aside / "imagesTr" / f"{name}_{channel:04d}.nii.gz", volume.astype(np.int16))
        label = _volume(patient.labels.astype(np.float32), shape, True)
        _save(aside / "labelsTr" / f"{name}.nii.gz", label.astype(np.uint8))
    description = {
        "channel_names": {"0": "FLAIR", "1": "T1ce"},
        "labels": {"background": 0, "ncr": 1, "ed": 2, "et": 3},
        "numTraining": patients,
        "file_ending": ".nii.gz",
    }
    (aside / "dataset.json").write_text(json.dumps(description))
    aside.rename(root)
    return root


def _enlarged(picture: np.ndarray, sides: tuple[int, int], mode: int = cv2.INTER_LINEAR):
    return cv2.resize(np.ascontiguousarray(picture), sides[::-1], interpolation=mode)


def _volume(voxels: np.ndarray, shape: tuple[int, int, int], nearest: bool) -> np.ndarray:
    mode = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    flat = np.stack([_enlarged(plane, shape[1:], mode) for plane in voxels])
    deep = _enlarged(flat.reshape(len(flat), -1), (shape[0], shape[1] * shape[2]), mode)
    return deep.reshape(shape)


def _save(path: Path, volume: np.ndarray) -> None:
    import nibabel

    image = nibabel.Nifti1Image(volume.transpose(2, 1, 0), np.diag([-1.0, -1.0, 1.0, 1.0]))
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))
