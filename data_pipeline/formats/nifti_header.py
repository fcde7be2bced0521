"""The header of a NIfTI file, read raw: what libraries mend without a word is refused or told."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nibabel import nifti1, nifti2

from data_pipeline.errors import UserError
from data_pipeline.formats import affine

HEADER_BYTES = 540  # of NIfTI-2, the longer one
LIMIT_BYTES = 2 << 30  # a 4D scan of four float32 sequences, 240 x 240 x 155, takes 143 MB
DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"}
DTYPES |= {256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
NOT_SCALAR = {32: "complex", 1792: "complex", 2048: "complex", 128: "RGB", 2304: "RGBA"}


@dataclass(frozen=True)
class Header:
    """What a NIfTI header says, once it has been found sound."""

    shape: tuple[int, ...]  # X, Y, Z and, where there are several, the channels
    dtype: np.dtype  # with the byte order of the file
    offset: int
    slope: float
    intercept: float
    grid: affine.Grid

    @property
    def voxel_bytes(self) -> int:
        """The bytes that the voxels take."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    @property
    def scaled(self) -> bool:
        """Whether the stored numbers are to be multiplied or shifted."""
        return (self.slope, self.intercept) != (1.0, 0.0)


def parse(path: Path, raw: bytes) -> Header:
    """Read the first bytes of a NIfTI file; whatever can't be meant is refused."""
    fields = _fields(path, raw)
    shape = _shape(path, fields)
    dtype = _dtype(path, fields)
    slope, intercept = _scaling(path, fields)
    offset = float(fields["vox_offset"])
    if not (np.isfinite(offset) and int(fields["sizeof_hdr"]) <= offset <= LIMIT_BYTES):
        raise UserError(f"{path}: its voxels start at byte {offset:g}; export the scan again.")
    grid = affine.read(path, fields, shape[:3])
    header = Header(shape, dtype, int(offset), slope, intercept, grid)
    if header.voxel_bytes > LIMIT_BYTES:
        raise UserError(
            f"{path}: its header announces {' x '.join(map(str, shape))} voxels, "
            f"{header.voxel_bytes / 2**30:.3g} GiB, more than the {LIMIT_BYTES >> 30} GiB that a "
            "scan may take; export the scan again."
        )
    return header


def _fields(path: Path, raw: bytes) -> np.ndarray:
    for layout, magic in ((nifti1.header_dtype, b"n+1"), (nifti2.header_dtype, b"n+2")):
        for ordered in (layout.newbyteorder("<"), layout.newbyteorder(">")):
            if len(raw) < layout.itemsize:
                continue
            fields = np.frombuffer(raw, ordered, count=1)[0]
            if fields["sizeof_hdr"] == layout.itemsize:
                if fields["magic"] == magic:
                    return fields
                if fields["magic"][:2] == b"n+":
                    raise UserError(
                        f"{path}: its magic is {bytes(fields['magic'])!r}, expected {magic!r}; "
                        "export the scan again."
                    )
                raise UserError(
                    f"{path}: an Analyze file or the half of a .hdr/.img pair, expected one NIfTI "
                    "file that holds header and voxels; convert it to .nii.gz."
                )
    raise UserError(f"{path}: not a NIfTI file; convert the scan to .nii.gz.")


def _shape(path: Path, fields: np.ndarray) -> tuple[int, ...]:
    rank = int(fields["dim"][0])
    dims = [int(size) for size in fields["dim"][1 : 1 + max(rank, 0)]]
    if not 1 <= rank <= 7 or any(size < 1 for size in dims):
        raise UserError(
            f"{path}: its header gives the dimensions {dims or rank}, all must be at least 1; "
            "export the scan again."
        )
    while len(dims) > 3 and dims[-1] == 1:
        dims.pop()
    if len(dims) not in (3, 4):
        raise UserError(
            f"{path}: expected a volume (X, Y, Z), received the shape {tuple(dims)}; "
            "export one volume a file."
        )
    return tuple(dims)


def _dtype(path: Path, fields: np.ndarray) -> np.dtype:
    code = int(fields["datatype"])
    if code in NOT_SCALAR:
        raise UserError(
            f"{path}: its voxels are {NOT_SCALAR[code]} numbers, expected one real number a "
            "voxel; export the magnitude as int16 or float32."
        )
    if code not in DTYPES:
        raise UserError(
            f"{path}: unknown NIfTI datatype {code}; export the scan as int16 or float32."
        )
    return np.dtype(fields["dim"].dtype.byteorder + DTYPES[code])


def _scaling(path: Path, fields: np.ndarray) -> tuple[float, float]:
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if not np.isfinite([slope, intercept]).all():
        raise UserError(
            f"{path}: scl_slope {slope:g} and scl_inter {intercept:g} are not finite; write 1 "
            "and 0 into the header, or export the scan again."
        )
    return (slope, intercept) if slope else (1.0, 0.0)  # NIfTI: a slope of 0 means unscaled
