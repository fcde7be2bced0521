"""NIfTI files written field by field, so that a test can put anything into a header."""

import gzip
import json
from pathlib import Path

import nibabel
import numpy as np

SHAPE = (10, 12, 8)
LPS = ((-1.0, 0, 0, 0), (0, -1.0, 0, 11), (0, 0, 1.0, 0))


def nifti(array: np.ndarray, order: str = "<", affine=LPS, **fields) -> bytes:
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_sform(np.vstack([affine, [0, 0, 0, 1]]), code=1)
    header["pixdim"][1:4] = np.linalg.norm(np.array(affine)[:, :3], axis=0)
    header["vox_offset"], header["scl_slope"], header["scl_inter"] = 352, 1, 0
    for name, value in fields.items():
        header[name] = value
    ordered = array.astype(array.dtype.newbyteorder(order))
    return header.binaryblock + b"\0" * 4 + ordered.tobytes(order="F")


def pack(raw: bytes) -> bytes:
    return gzip.compress(raw, 1, mtime=0)


def scan(seed: int, shape=SHAPE, dtype=np.float32) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 20, shape).astype(dtype)


def labels(values=(0, 1, 2), shape=SHAPE) -> np.ndarray:
    array = np.zeros(shape, np.uint8)
    for number, value in enumerate(values):
        array[2:6, 2 + 2 * number : 4 + 2 * number, 2:6] = value
    return array


def nnunet(root: Path, cases=("A", "B"), names=("FLAIR", "T1c")) -> Path:
    """A sound set of two cases with two channels and the labels 0, 1, 2."""
    content = {
        "channel_names": {str(number): name for number, name in enumerate(names)},
        "labels": {"background": 0, "edema": 1, "enhancing": 2},
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
    }
    (root / "imagesTr").mkdir(parents=True)
    (root / "labelsTr").mkdir()
    (root / "dataset.json").write_text(json.dumps(content))
    for seed, case in enumerate(cases):
        for channel in range(len(names)):
            path = root / "imagesTr" / f"{case}_{channel:04d}.nii.gz"
            path.write_bytes(pack(nifti(scan(10 * seed + channel))))
        (root / "labelsTr" / f"{case}.nii.gz").write_bytes(pack(nifti(labels())))
    return root


BRATS_OLD = ("flair", "t1", "t1ce", "t2", "seg")


def brats(root: Path, cases=("BraTS20_Training_001", "BraTS20_Training_002"), values=(0, 1, 2, 4)):
    """Two sound cases under the names of 2020."""
    for seed, case in enumerate(cases):
        (root / case).mkdir(parents=True)
        for channel, name in enumerate(BRATS_OLD):
            array = labels(values) if name == "seg" else scan(100 + 10 * seed + channel)
            (root / case / f"{case}_{name}.nii.gz").write_bytes(pack(nifti(array)))
    return root


def msd(root: Path, cases=("BRATS_001", "BRATS_002"), names=None) -> Path:
    """Two sound cases of Task01: 1 edema, 2 non-enhancing, 3 enhancing."""
    names = names or ("background", "edema", "non-enhancing tumor", "enhancing tumour")
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    for seed, case in enumerate(cases):
        image = scan(200 + seed, (*SHAPE, 4))
        (root / "imagesTr" / f"{case}.nii.gz").write_bytes(pack(nifti(image)))
        (root / "labelsTr" / f"{case}.nii.gz").write_bytes(pack(nifti(labels((0, 1, 2, 3)))))
    content = {
        "modality": {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"},
        "labels": {str(number): name for number, name in enumerate(names)},
        "numTraining": len(cases),
        "training": [
            {"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"}
            for case in cases
        ],
    }
    (root / "dataset.json").write_text(json.dumps(content))
    return root
