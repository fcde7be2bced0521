"""Image slices and masks from TIFF and PNG, decoded by OpenCV behind guards of our own."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from data_pipeline.errors import Quarantined, UserError
from data_pipeline.formats import image_header

CHANNELS = 3
DEPTHS = (8, 16, 32)


@dataclass(frozen=True)
class Raster:
    """The pixels of one file."""

    array: np.ndarray  # (H, W, 3), red, green, blue; of a mask (H, W) of 0 and 1
    sha256: str
    warnings: tuple[str, ...] = ()


def read_image(path: Path, *, nan_to_zero: bool = False) -> Raster:
    """Read a slice with three channels as uint8, uint16 or float32; channels in file order."""
    raw = _bytes(path)
    told = image_header.read(path, raw)
    if told.samples != CHANNELS:
        raise UserError(
            f"{path}: expected three channels (pre-contrast, FLAIR, post-contrast as red, green, "
            f"blue), received {told.samples}; save the slice as RGB without alpha."
        )
    if told.bits not in DEPTHS:
        raise UserError(f"{path}: {told.bits} bits a channel; save the slice with 8 or 16.")
    pixels = cv2.cvtColor(_decode(path, raw, told), cv2.COLOR_BGR2RGB)
    warnings = told.warnings
    if pixels.dtype.kind == "f":
        pixels, odd = _finite(path, pixels, nan_to_zero)
        warnings += odd
    return Raster(pixels, hashlib.sha256(raw).hexdigest(), warnings)


def announced_bytes(path: Path) -> int:
    """Say how many bytes the pixels of a slice take, from its header; 0 where that is unsound."""
    try:
        told = image_header.read(path, _bytes(path))
    except (OSError, UserError):
        return 0  # who reads the file says why
    return told.width * told.height * CHANNELS * max(1, min(told.bits, 64) // 8)


def read_mask(path: Path) -> Raster:
    """Read a mask of 0 and 1, of 0 and 255 or of one bit as uint8 of 0 and 1."""
    raw = _bytes(path)
    told = image_header.read(path, raw)
    if told.samples not in (1, CHANNELS):
        raise UserError(
            f"{path}: expected a mask of one channel, received {told.samples}; save it grey."
        )
    pixels = _decode(path, raw, told)
    pixels = _black_and_white(path, pixels, told.palette) if pixels.ndim == 3 else pixels
    values = _values(pixels)
    white = 65535 if pixels.dtype == np.uint16 else 255
    if not any(set(values) <= {0, top} for top in (1, white)):
        shown = ", ".join(f"{value:g}" for value in values[:6]) + ", ..." * (len(values) > 6)
        raise UserError(
            f"{path}: expected a mask of 0 and 1 or of 0 and {white}, received the values {shown}; "
            "threshold the mask and save it again."
        )
    mask = (pixels != 0).view(np.uint8)
    return Raster(mask, hashlib.sha256(raw).hexdigest(), told.warnings)


def _black_and_white(path: Path, pixels: np.ndarray, palette: bool) -> np.ndarray:
    """Reduce a mask with three channels; the one colour of a palette counts as white."""
    grey = pixels.max(axis=2)
    if palette:
        colours = np.unique(pixels[grey > 0], axis=0)
        if len(colours) <= 1:
            return (grey > 0).astype(np.uint8)
    elif (pixels == pixels[..., :1]).all():
        return grey
    raise UserError(
        f"{path}: expected a mask in black and white, it has colours; save it as 0/255."
    )


def _values(pixels: np.ndarray) -> Sequence[float]:
    if pixels.dtype == np.uint8:
        return np.flatnonzero(np.bincount(pixels.ravel(), minlength=256)).tolist()
    return np.unique(pixels).tolist()


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise Quarantined(f"{path}: the file is missing; copy or download it again.")
    raw = path.read_bytes()
    if not raw:
        raise Quarantined(f"{path}: the file is empty (0 bytes); copy or download it again.")
    return raw


def _decode(path: Path, raw: bytes, told: image_header.Claims) -> np.ndarray:
    try:
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _undecodable(path) from error
    if pixels is None:
        raise _undecodable(path)
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    wanted = CHANNELS if told.palette else told.samples
    if pixels.shape[:2] != (told.height, told.width) or samples not in (wanted, told.samples):
        raise UserError(
            f"{path}: its header says {told.height} x {told.width} x {told.samples}, OpenCV "
            f"decodes {' x '.join(map(str, pixels.shape))}; save the slice again as plain RGB."
        )
    return pixels


def _undecodable(path: Path) -> Quarantined:
    return Quarantined(f"{path}: its pixels can't be decoded; copy or download it again.")


def _finite(path: Path, pixels: np.ndarray, mend: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    odd = ~np.isfinite(pixels)
    count = int(odd.sum())
    if count and not mend:
        raise UserError(
            f"{path}: {count} pixels are NaN or infinite; mend the file (`gliozoo data check "
            "--nan-to-zero` looks at the rest with 0 in their place)."
        )
    if not count:
        return pixels, ()
    return np.where(odd, np.float32(0), pixels), (f"{count} pixels were NaN or infinite: 0",)
