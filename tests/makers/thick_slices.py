"""A scan as a scanner of thicker slices would have made it."""

from pathlib import Path

import nibabel
import numpy as np


def thicken(case: Path, folder: Path, times: int = 2) -> Path:
    """Copy a case with so many of its slices averaged into one; labels by most votes."""
    (folder / case.name).mkdir(parents=True, exist_ok=True)
    for path in case.glob("*.nii.gz"):
        image = nibabel.load(path)
        voxels = np.asarray(image.dataobj)
        count = voxels.shape[2] // times
        slabs = voxels[..., : count * times].reshape(*voxels.shape[:2], count, times)
        if path.name.endswith("_seg.nii.gz"):
            values = np.unique(slabs)
            most = np.stack([(slabs == value).sum(-1) for value in values]).argmax(0)
            made = values[most].astype(voxels.dtype)
        else:
            made = slabs.mean(-1).astype(np.float32)
        affine = image.affine @ np.diag([1, 1, times, 1])
        affine[:3, 3] += image.affine[:3, 2] * (times - 1) / 2
        header = image.header.copy()
        header.set_data_dtype(made.dtype)
        nibabel.save(nibabel.Nifti1Image(made, affine, header), folder / case.name / path.name)
    return folder / case.name
