"""Where the voxels of a NIfTI file lie in the patient, and whether two files agree on it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nibabel import orientations, quaternions

from data_pipeline.errors import UserError

TOLERANCE = 0.1  # of a voxel: rounding of a float32 header stays far below, a shifted grid above
LPS = orientations.axcodes2ornt("LPS")
UNITS = {1: "metres", 3: "micrometres"}


@dataclass(frozen=True)
class Grid:
    """The affine of a file's (X, Y, Z) grid to RAS+ millimetres, and what it is worth."""

    affine: np.ndarray
    spacing: tuple[float, float, float]  # of X, Y, Z
    in_mm: bool
    orientation: np.ndarray | None  # nibabel's, of the file's axes in RAS; None: not stated
    warnings: tuple[str, ...]


def read(path: Path, fields: np.ndarray, shape: tuple[int, ...]) -> Grid:
    """Take the sform, else the qform, else the bare voxel size; contradictions are refused."""
    warnings = _odd_sizes(fields)
    sizes_sound = not warnings
    sform = _sform(path, fields) if fields["sform_code"] > 0 else None
    qform = _qform(path, fields) if fields["qform_code"] > 0 and sizes_sound else None
    if sform is not None and qform is not None:
        shift = displacement(sform, qform, shape)
        if shift > TOLERANCE:
            raise UserError(
                f"{path}: its sform and its qform disagree by {shift:.3g} voxels; decide which "
                "is right and set the code of the other to 0."
            )
    affine = qform if sform is None else sform
    if affine is None:
        return _bare(fields, sizes_sound, warnings)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    unit = UNITS.get(int(fields["xyzt_units"]) & 7)
    if unit:
        warnings = (*warnings, f"its lengths are in {unit}, not in millimetres")
    orientation = orientations.io_orientation(affine)
    return Grid(affine, _three(spacing), unit is None, orientation, warnings)


def displacement(first: np.ndarray, second: np.ndarray, shape: tuple[int, ...]) -> float:
    """How far two affines put the same voxel apart, at the worst corner, in voxels."""
    corners = np.array(np.meshgrid(*[(0, size - 1) for size in shape[:3]])).reshape(3, -1)
    points = np.vstack([corners, np.ones(corners.shape[1])])
    apart = np.linalg.norm(((first - second) @ points)[:3], axis=0).max()
    return float(apart / np.linalg.norm(first[:3, :3], axis=0).min())


def to_lps(array: np.ndarray, orientation: np.ndarray | None) -> np.ndarray:
    """Turn a file's (X, Y, Z, ...) array so that its axes run to the left, the back, the head."""
    if orientation is None:
        return array
    turn = orientations.ornt_transform(orientation, LPS)
    return orientations.apply_orientation(array, turn)


def from_lps(array: np.ndarray, orientation: np.ndarray | None) -> np.ndarray:
    """Undo `to_lps` exactly."""
    if orientation is None:
        return array
    turn = orientations.ornt_transform(LPS, orientation)
    return orientations.apply_orientation(array, turn)


def spacing_lps(grid: Grid) -> tuple[float, float, float]:
    """Give the voxel size along the axes that `to_lps` makes."""
    if grid.orientation is None:
        return grid.spacing
    turn = orientations.ornt_transform(grid.orientation, LPS)
    sizes = dict(zip(turn[:, 0].astype(int), grid.spacing, strict=True))
    return sizes[0], sizes[1], sizes[2]


def _odd_sizes(fields: np.ndarray) -> tuple[str, ...]:
    sizes = fields["pixdim"][1:4]
    if np.isfinite(sizes).all() and (sizes > 0).all():
        return ()
    return (f"its pixdim is {', '.join(f'{size:g}' for size in sizes)}, not three positive sizes",)


def _sform(path: Path, fields: np.ndarray) -> np.ndarray:
    affine = np.eye(4)
    affine[:3] = [fields["srow_x"], fields["srow_y"], fields["srow_z"]]
    with np.errstate(invalid="ignore"):
        sound = np.isfinite(affine).all() and abs(np.linalg.det(affine)) > 1e-9
    if not sound:
        raise UserError(
            f"{path}: its sform puts all voxels on one plane or nowhere (determinant 0); set "
            "sform_code to 0 to fall back on the qform, or export the scan again."
        )
    return affine


def _qform(path: Path, fields: np.ndarray) -> np.ndarray:
    vector = np.array([fields[f"quatern_{axis}"] for axis in "bcd"], np.float64)
    shift = [fields[f"qoffset_{axis}"] for axis in "xyz"]
    if not np.isfinite([*vector, *shift]).all() or vector @ vector > 1 + 1e-5:
        raise UserError(
            f"{path}: its qform is no rotation; set qform_code to 0 to fall back on the sform, "
            "or export the scan again."
        )
    affine = np.eye(4)
    sizes = fields["pixdim"][1:4].astype(np.float64)
    sizes[2] *= -1 if fields["pixdim"][0] < 0 else 1  # qfac
    affine[:3, :3] = quaternions.quat2mat(quaternions.fillpositive(vector, w2_thresh=-1e-4)) * sizes
    affine[:3, 3] = shift
    return affine


def _bare(fields: np.ndarray, sizes_sound: bool, warnings: tuple[str, ...]) -> Grid:
    spacing = _three(fields["pixdim"][1:4]) if sizes_sound else (1.0, 1.0, 1.0)
    told = (*warnings, "it states no orientation (sform and qform codes 0): taken as stored")
    return Grid(np.diag([*spacing, 1.0]), spacing, sizes_sound, None, told)


def _three(values: np.ndarray) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
