"""NIfTI images and label maps, read to their end and refused where they can't be what they say."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_pipeline.errors import Quarantined, UserError
from data_pipeline.files import gzip_stream
from data_pipeline.formats import nifti_header
from data_pipeline.formats.affine import Grid

DEFLATE_LIMIT = 1032  # no deflate stream unpacks to more than this many times its size
PASSES = 3  # arrays that hold a voxel beside the file itself: turned, stacked, compared
NEAR_INTEGER = 1e-3  # what a resampler with nearest neighbours in float32 may leave behind


@dataclass(frozen=True)
class Nifti:
    """The voxels of one file on the file's own grid."""

    array: np.ndarray  # (X, Y, Z) or (X, Y, Z, C)
    grid: Grid
    sha256: str
    warnings: tuple[str, ...]


def read_image(path: Path, *, nan_to_zero: bool = False) -> Nifti:
    """Read intensities: uint8 and int16 as they are, everything else as float32."""
    header, voxels, sha256 = _read(path)
    warnings = header.grid.warnings
    if header.scaled:
        voxels = voxels * np.float32(header.slope) + np.float32(header.intercept)
    if voxels.dtype not in (np.uint8, np.int16) or header.scaled:
        with np.errstate(over="ignore"):
            voxels = voxels.astype(np.float32, copy=False)
        voxels, odd = _finite(path, voxels, nan_to_zero)
        warnings += odd
    return Nifti(voxels, header.grid, sha256, warnings)


def read_label(path: Path, values: Mapping[int, int], remedy: str = "") -> Nifti:
    """Read a label map as uint8 in the project's values; an unknown value is refused."""
    header, voxels, sha256 = _read(path)
    if header.scaled:
        raise UserError(
            f"{path}: a label map with scl_slope {header.slope:g} and scl_inter "
            f"{header.intercept:g} changes its labels when it is read; write 1 and 0."
        )
    if voxels.ndim != 3:
        raise UserError(
            f"{path}: expected one label map (X, Y, Z), received the shape {voxels.shape}; "
            "export one volume a file."
        )
    labels = map_labels(path, _whole(path, voxels), values, remedy)
    return Nifti(labels, header.grid, sha256, header.grid.warnings)


def announced_bytes(path: Path) -> int:
    """Estimate what reading a file takes at most, from its header; 0 where that is unsound."""
    header, is_gzip = _announced(path)
    if header is None:
        return 0
    values = header.voxel_bytes // header.dtype.itemsize
    kept = header.dtype.itemsize if header.dtype.itemsize <= 2 and not header.scaled else 4
    return path.stat().st_size * is_gzip + values * (header.dtype.itemsize + PASSES * kept)


def announced_channels(path: Path) -> int:
    """Count the channels of a file by its header alone; 1 where that is unsound."""
    header, _ = _announced(path)
    return header.shape[3] if header and len(header.shape) > 3 else 1


def _announced(path: Path) -> tuple[nifti_header.Header | None, bool]:
    """Read a header, or None of an unsound file, whose reader says why; and whether it is gzip."""
    try:
        if not path.is_file():
            return None, False
        with path.open("rb") as file:
            raw = file.read(64 * nifti_header.HEADER_BYTES)
        is_gzip = raw[:2] == gzip_stream.MAGIC
        start = gzip_stream.peek(path, raw, nifti_header.HEADER_BYTES) if is_gzip else raw
        return nifti_header.parse(path, start[: nifti_header.HEADER_BYTES]), is_gzip
    except (OSError, UserError):
        return None, False


def map_labels(
    path: Path, labels: np.ndarray, values: Mapping[int, int], remedy: str = ""
) -> np.ndarray:
    """Replace label values by the project's; one that the data set does not define is refused."""
    low, high = int(labels.min()), int(labels.max())
    if low >= 0 and high <= 255:
        labels = labels.astype(np.uint8, copy=False)
        present = set(np.flatnonzero(np.bincount(labels.ravel(order="K"), minlength=256)).tolist())
    else:
        present = {low, high}
    unknown = sorted(present - values.keys())
    if unknown:
        raise UserError(
            f"{path}: label {', '.join(map(str, unknown))} is not among the expected "
            f"{', '.join(map(str, sorted(values)))}; "
            + (remedy or "name the data set's version with --version, or mend the label map.")
        )
    table = np.zeros(256, np.uint8)
    table[list(values)] = list(values.values())
    return table[labels]


def _read(path: Path) -> tuple[nifti_header.Header, np.ndarray, str]:
    raw = _bytes(path)
    sha256 = hashlib.sha256(raw).hexdigest()
    is_gzip, named_gzip = raw[:2] == gzip_stream.MAGIC, path.suffix == ".gz"
    header = _header(path, raw, is_gzip)
    if is_gzip != named_gzip:
        right = f"{path.name}.gz" if is_gzip else path.stem
        content = "gzip" if is_gzip else "plain NIfTI"
        raise UserError(f"{path}: is a {content} file by its content; rename it to {right}.")
    end = header.offset + header.voxel_bytes
    if end > DEFLATE_LIMIT * len(raw):
        raise UserError(
            f"{path}: its header announces {end} bytes, which a file of {len(raw)} bytes can't "
            "hold; export the scan again."
        )
    payload = gzip_stream.inflate(path, raw, end) if is_gzip else raw
    if len(payload) < end:
        raise Quarantined(
            f"{path}: truncated ({len(payload)} of {end} bytes); copy or download it again."
        )
    voxels = np.frombuffer(
        payload, header.dtype, header.voxel_bytes // header.dtype.itemsize, header.offset
    ).reshape(header.shape, order="F")
    if not voxels.dtype.isnative:
        voxels = voxels.astype(voxels.dtype.newbyteorder("="))
    return header, voxels, sha256


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise UserError(f"{path}: expected a NIfTI file, this is a folder; move the file out.")
    if not path.is_file():
        raise Quarantined(f"{path}: the file is missing; copy or download it again.")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty (0 bytes); copy or download it again.")
    if path.stat().st_size > nifti_header.LIMIT_BYTES + gzip_stream.SURPLUS:
        raise UserError(
            f"{path}: takes {path.stat().st_size / 2**30:.3g} GiB, more than the "
            f"{nifti_header.LIMIT_BYTES >> 30} GiB that a scan may take; export one scan a file."
        )
    return path.read_bytes()


def _header(path: Path, raw: bytes, is_gzip: bool) -> nifti_header.Header:
    if not is_gzip:
        if path.suffix == ".gz" and b"n+" not in raw[344:348] + raw[4:8]:
            raise Quarantined(f"{path}: not a gzip file; copy or download it again.")
        return nifti_header.parse(path, raw[: nifti_header.HEADER_BYTES])
    start = gzip_stream.peek(path, raw, nifti_header.HEADER_BYTES)
    try:
        return nifti_header.parse(path, start)
    except Quarantined:
        raise
    except UserError:
        gzip_stream.verify(path, raw)  # a damaged file explains the odd header, and is told instead
        raise


def _finite(path: Path, voxels: np.ndarray, mend: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    # A sum is NaN or infinite if any voxel is, and costs no temporary array.
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(voxels.sum(dtype=np.float64)):
            return voxels, ()
    odd = ~np.isfinite(voxels)
    count = int(odd.sum())
    if not count:
        return voxels, ()
    if not mend:
        raise UserError(
            f"{path}: {count} voxels are NaN or infinite; mend the file (`gliozoo data check "
            "--nan-to-zero` looks at the rest with 0 in their place)."
        )
    return np.where(odd, np.float32(0), voxels), (f"{count} voxels were NaN or infinite: 0",)


def _whole(path: Path, voxels: np.ndarray) -> np.ndarray:
    if voxels.dtype.kind in "iu":
        return voxels
    voxels, _ = _finite(path, voxels, mend=False)
    nearest = np.rint(voxels)
    worst = float(np.abs(voxels - nearest).max())
    if worst > NEAR_INTEGER:
        raise UserError(
            f"{path}: its labels are no whole numbers (one is {worst:.3g} off); resample label "
            "maps with nearest neighbours and save them as uint8."
        )
    return nearest.astype(np.int64) if np.abs(nearest).max() > 255 else nearest.astype(np.int16)
