"""Volumes as a page holds them: 8 bits a voxel, compressed, in base64, under one NIfTI header.

A `(D, H, W)` array in C order is a NIfTI file's `(X, Y, Z)` with X along W; its axes run to the
left and the back, where NIfTI's millimetres run to the right and the front: hence two minus signs.
"""

import base64
import gzip

import numpy as np
from nibabel.nifti1 import Nifti1Header

from data_pipeline.cases.case import Volume

DARKEST, BRIGHTEST = 0.5, 99.5  # percentiles of what is not 0, shown as black and white
HIGH = 0.6  # of their width: how high slices without a known distance are stacked


def contrasts(volume: Volume) -> dict[str, str]:
    """Return each channel between black and white."""
    return {
        name: packed(_grey(volume.image[..., place])) for place, name in enumerate(volume.channels)
    }


def packed(array: np.ndarray) -> str:
    """Return an 8-bit volume as text."""
    plain = np.ascontiguousarray(array, np.uint8).tobytes()
    return base64.b64encode(gzip.compress(plain, compresslevel=6, mtime=0)).decode()


def header(volume: Volume) -> str:
    """Return the header that all volumes of the page share, as text."""
    depth, rows, columns = volume.image.shape[:3]
    found = Nifti1Header()
    found.set_data_dtype(np.uint8)
    found.set_data_shape((columns, rows, depth))
    high, down, across = drawn_spacing(volume)
    found.set_sform(np.diag([-across, -down, high, 1.0]), code=1)
    found["pixdim"][1:4] = across, down, high
    found["vox_offset"], found["magic"] = 352, b"n+1"
    return base64.b64encode(found.binaryblock + bytes(4)).decode()


def drawn_spacing(volume: Volume) -> tuple[float, float, float]:
    """Return the voxel size to draw with: a stack of slices of unknown distance as a head is."""
    depth, _, columns = volume.image.shape[:3]
    if volume.in_mm or volume.orientation is not None:
        return volume.spacing
    return (max(1.0, HIGH * columns / depth), 1.0, 1.0)


def _grey(channel: np.ndarray) -> np.ndarray:
    seen = channel[channel != 0]
    low, high = np.percentile(seen, (DARKEST, BRIGHTEST)) if seen.size else (0, 1)
    scaled = (channel.astype(np.float32) - low) * np.float32(255 / max(high - low, 1e-6))
    return np.clip(scaled, 0, 255).astype(np.uint8)
