"""Masks and probabilities as files that lie exactly on the scan they belong to.

A NIfTI answer takes the header of the scan's first file: shape, affines, both codes, voxel sizes
and units are copied and not computed. Slices become pictures of their own, as in kaggle_3m.
"""

import gzip
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, HeaderTypeError

from data_pipeline.cases.case import Case, Volume
from data_pipeline.errors import UserError

UNFIT = re.compile(r"[^\w .()+,=@-]")  # in a part of a file's name
Files = dict[str, bytes]  # by name, so that a caller can write all of them or none


def mask_names(case: Case) -> tuple[str, ...]:
    """Name the files of a case's mask."""
    if case.form == "slices":
        return tuple(f"{case.name}/{path.stem}_mask.tif" for path in case.images)
    return (f"{case.name}.nii.gz",)


def probability_names(case: Case, region: str) -> tuple[str, ...]:
    """Name the files of a region's probabilities; a region's name never makes a folder."""
    part = UNFIT.sub(lambda found: f"%{ord(found[0]):02x}", region)
    if case.form == "slices":
        return tuple(f"{case.name}/{path.stem}_{part}.tif" for path in case.images)
    return (f"{case.name}_{part}.nii.gz",)


def mask_files(case: Case, volume: Volume, labels: np.ndarray) -> Files:
    """Give the files of a `(D, H, W)` mask in the project's values, written in the case's own."""
    if case.form == "slices":
        contents = [_tiff(plane) for plane in np.where(labels > 0, np.uint8(255), np.uint8(0))]
    else:
        stored = written_values(case.values)[labels]
        contents = [_nifti(case.images[0], volume.to_file(stored))]
    return dict(zip(mask_names(case), contents, strict=True))


def probability_files(case: Case, volume: Volume, probabilities: Mapping[str, np.ndarray]) -> Files:
    """Give the files of `(D, H, W)` probabilities, float32, one a region."""
    files: Files = {}
    for region, values in probabilities.items():
        if case.form == "slices":
            contents = [_tiff(plane) for plane in values.astype(np.float32)]
        else:
            contents = [_nifti(case.images[0], volume.to_file(values))]
        files |= zip(probability_names(case, region), contents, strict=True)
    return files


def written_values(values: Mapping[int, int]) -> np.ndarray:
    """Turn a file's label values round: a table from the project's values to the file's."""
    table = np.zeros(256, np.uint8)
    for in_file, own in sorted(values.items(), reverse=True):
        table[own] = in_file
    return table


def _nifti(like: Path, array: np.ndarray) -> bytes:
    try:
        return _as_nifti(like, array)
    except (ImageFileError, HeaderDataError, HeaderTypeError, ValueError, OSError) as error:
        raise UserError(
            f"{like}: its header can't be taken over for the mask ({error}); save the scan anew."
        ) from error


def _as_nifti(like: Path, array: np.ndarray) -> bytes:
    image: Any = nibabel.load(like)  # of NIfTI 1 or 2
    header = image.header.copy()
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0
    header["descrip"] = b"GlioZoo"
    header.extensions.clear()
    # Without an affine nibabel leaves every field of the header's geometry as it is.
    answer = type(image)(np.ascontiguousarray(array), None, header)
    return gzip.compress(answer.to_bytes(), compresslevel=6, mtime=0)


def _tiff(plane: np.ndarray) -> bytes:
    fine, content = cv2.imencode(".tif", plane)
    if not fine:
        raise RuntimeError(f"OpenCV could not encode a slice of {plane.dtype} and {plane.shape}")
    return content.tobytes()
