"""The files of a case put together into one volume, once they have been found to fit."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_pipeline.cases.case import Case, Volume, file_key
from data_pipeline.errors import Quarantined, UserError
from data_pipeline.files import listing
from data_pipeline.formats import affine, nifti, raster


def read_case(case: Case, *, nan_to_zero: bool = False) -> Volume:
    """Read every file of a case to its end, or raise a `UserError` that names file and remedy."""
    parts = _read(case, nan_to_zero)
    if len(parts) == 1:
        return parts[0]
    image = np.empty((*parts[0].image.shape[:3], len(parts)), parts[0].image.dtype)
    for channel, part in enumerate(parts):
        image[..., channel] = part.image[..., 0]
    return replace(parts[0], image=image, channels=case.channels)


def read_channels(case: Case) -> list[Volume]:
    """Read a case likewise, as a volume for each channel: each can be let go on its own."""
    return [channel for part in _read(case, nan_to_zero=False) for channel in part.split()]


def _read(case: Case, nan_to_zero: bool) -> list[Volume]:
    """Give a volume for each file of a channel, or one for all channels that lie together."""
    if case.problem:
        raise Quarantined(case.problem)
    for path in (*case.images, *case.masks):
        if reason := listing.nowhere(path):
            raise Quarantined(reason)
    try:
        return [_slices(case, nan_to_zero)] if case.form == "slices" else _files(case, nan_to_zero)
    except OSError as error:
        reason = (
            f"{error.filename or case.name}: can't be read ({error.strerror or error}); check it."
        )
        raise Quarantined(reason) from error


def _files(case: Case, nan_to_zero: bool) -> list[Volume]:
    images = [nifti.read_image(path, nan_to_zero=nan_to_zero) for path in case.images]
    labels = [nifti.read_label(path, case.values, case.remedy) for path in case.masks]
    paths = (*case.images, *case.masks)
    files = [*images, *labels]
    for path, file in zip(paths, files, strict=True):
        _fits(case.images[0], files[0], path, file)
    sha256 = {file_key(path): file.sha256 for path, file in zip(paths, files, strict=True)}
    warnings = _told(paths, [file.warnings for file in files])
    grid = files[0].grid
    label = _turn(labels[0]) if labels else None
    spacing, in_mm = affine.spacing_lps(grid)[::-1], grid.in_mm
    if case.spacing and not in_mm:
        spacing, in_mm = case.spacing, True
    del files  # `_turned` lets each image go
    return [
        Volume(
            image,
            channels,
            label,
            grid.affine,
            spacing,
            in_mm,
            grid.orientation,
            sha256,
            warnings,
        )
        for image, channels in _turned(case, images)
    ]


def _fits(first_path: Path, first: nifti.Nifti, path: Path, file: nifti.Nifti) -> None:
    if first.array.shape[:3] != file.array.shape[:3]:
        raise UserError(
            f"{path}: has the shape {file.array.shape[:3]}, but {first_path.name} has "
            f"{first.array.shape[:3]}; resample one onto the grid of the other."
        )
    shift = affine.displacement(first.grid.affine, file.grid.affine, file.array.shape)
    if shift > affine.TOLERANCE:
        raise UserError(
            f"{path}: its affine lies {shift:.3g} voxels off that of {first_path.name}; register "
            "and resample the scans, nothing is resampled silently here."
        )


def _turned(case: Case, images: list[nifti.Nifti]) -> Iterator[tuple[np.ndarray, tuple[str, ...]]]:
    """Yield `(D, H, W, C)` voxels with their channels, of one type in all; empties the list."""
    if case.form == "stack":
        yield _four_dimensional(case, images.pop()), case.channels
        return
    for path, file in zip(case.images, images, strict=True):
        if file.array.ndim != 3:
            raise UserError(
                f"{path}: expected one volume (X, Y, Z), received the shape {file.array.shape}; "
                "export one sequence a file."
            )
    dtypes = {file.array.dtype for file in images}
    dtype = dtypes.pop() if len(dtypes) == 1 else np.dtype(np.float32)
    for name in case.channels:
        yield _turn(images.pop(0)).astype(dtype, copy=False)[..., None], (name,)


def _four_dimensional(case: Case, file: nifti.Nifti) -> np.ndarray:
    expected = len(case.channels)
    array = file.array[..., None] if file.array.ndim == 3 else file.array
    if array.shape[3] != expected:
        raise UserError(
            f"{case.images[0]}: expected {expected} channels ({', '.join(case.channels)}), "
            f"received the shape {file.array.shape}; mend the file or its dataset.json."
        )
    turned = affine.to_lps(array, file.grid.orientation)
    return np.ascontiguousarray(turned.transpose(2, 1, 0, 3))


def _turn(file: nifti.Nifti) -> np.ndarray:
    turned = affine.to_lps(file.array, file.grid.orientation)
    return np.ascontiguousarray(turned.transpose(2, 1, 0))


def _slices(case: Case, nan_to_zero: bool) -> Volume:
    first = raster.read_image(case.images[0], nan_to_zero=nan_to_zero)
    shape = first.array.shape[:2]
    rest = [
        _of_shape(case, path, raster.read_image(path, nan_to_zero=nan_to_zero), shape)
        for path in case.images[1:]
    ]
    images = [first, *rest]
    masks = [_of_shape(case, path, raster.read_mask(path), shape) for path in case.masks]
    paths = (*case.images, *case.masks)
    files = [*images, *masks]
    return Volume(
        _one_depth(case, [image.array for image in images]),
        case.channels,
        np.stack([mask.array for mask in masks]) if masks else None,
        np.eye(4),
        case.spacing or (1.0, 1.0, 1.0),
        in_mm=case.spacing is not None,  # TIFF and PNG state no voxel size, and no slice distance
        sha256={file_key(path): file.sha256 for path, file in zip(paths, files, strict=True)},
        warnings=_told(paths, [file.warnings for file in files]),
    )


def _of_shape(case: Case, path: Path, file: raster.Raster, shape: tuple[int, ...]) -> raster.Raster:
    """Refuse a slice of another size as soon as it is met: the room was asked for by the first."""
    if file.array.shape[:2] == shape:
        return file
    raise UserError(
        f"{path}: has {file.array.shape[:2]} pixels, but {case.images[0].name} has {shape}; every "
        "slice and mask of a case must have one size."
    )


def _one_depth(case: Case, slices: Sequence[np.ndarray]) -> np.ndarray:
    for path, pixels in zip(case.images, slices, strict=True):
        if pixels.dtype != slices[0].dtype:
            raise UserError(
                f"{path}: holds {pixels.dtype}, but {case.images[0].name} holds "
                f"{slices[0].dtype}; save all slices of a case with one bit depth."
            )
    stacked = np.stack(slices)
    return stacked if stacked.dtype == np.uint8 else stacked.astype(np.float32)


def _told(paths: Sequence[Path], warnings: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    pairs = zip(paths, warnings, strict=True)
    return tuple(f"{path.name}: {warning}" for path, told in pairs for warning in told)
