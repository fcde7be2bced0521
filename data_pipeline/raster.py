"""Image slices and masks from TIFF and PNG, decoded by OpenCV behind guards of our own."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from data_pipeline import tiff
from data_pipeline.errors import Quarantined, UserError

PNG = b"\x89PNG\r\n\x1a\n"
CHANNELS = 3
PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
DEPTHS = (8, 16, 32)


@dataclass(frozen=True)
class Raster:
    """The pixels of one file."""

    array: np.ndarray  # (H, W, 3), red, green, blue; of a mask (H, W) of 0 and 1
    sha256: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Claims:
    """What a file says it holds, before anything is decoded."""

    width: int
    height: int
    bits: int
    samples: int
    palette: bool = False
    warnings: tuple[str, ...] = ()


def read_image(path: Path, *, nan_to_zero: bool = False) -> Raster:
    """Read a slice with three channels as uint8, uint16 or float32; channels in file order."""
    raw = _bytes(path)
    claims = _claims(path, raw)
    if claims.samples != CHANNELS:
        raise UserError(
            f"{path}: expected three channels (pre-contrast, FLAIR, post-contrast as red, green, "
            f"blue), received {claims.samples}; save the slice as RGB without alpha."
        )
    if claims.bits not in DEPTHS:
        raise UserError(f"{path}: {claims.bits} bits a channel; save the slice with 8 or 16.")
    pixels = cv2.cvtColor(_decode(path, raw, claims), cv2.COLOR_BGR2RGB)
    warnings = claims.warnings
    if pixels.dtype.kind == "f":
        pixels, odd = _finite(path, pixels, nan_to_zero)
        warnings += odd
    return Raster(pixels, hashlib.sha256(raw).hexdigest(), warnings)


def read_mask(path: Path) -> Raster:
    """Read a mask of 0 and 1, of 0 and 255 or of one bit as uint8 of 0 and 1."""
    raw = _bytes(path)
    claims = _claims(path, raw)
    if claims.samples not in (1, CHANNELS):
        raise UserError(
            f"{path}: expected a mask of one channel, received {claims.samples}; save it grey."
        )
    pixels = _decode(path, raw, claims)
    pixels = _black_and_white(path, pixels, claims.palette) if pixels.ndim == 3 else pixels
    values = _values(pixels)
    white = 65535 if pixels.dtype == np.uint16 else 255
    if not any(set(values) <= {0, top} for top in (1, white)):
        shown = ", ".join(f"{value:g}" for value in values[:6]) + ", ..." * (len(values) > 6)
        raise UserError(
            f"{path}: expected a mask of 0 and 1 or of 0 and {white}, received the values {shown}; "
            "threshold the mask and save it again."
        )
    mask = (pixels != 0).view(np.uint8)
    return Raster(mask, hashlib.sha256(raw).hexdigest(), claims.warnings)


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


def _claims(path: Path, raw: bytes) -> _Claims:
    if raw[:4] in tiff.MAGICS:
        claims = _tiff_claims(path, raw)
    elif raw.startswith(PNG):
        claims = _png_claims(path, raw)
    else:
        kind = "an HTML page" if raw.lstrip()[:1] == b"<" else "neither TIFF nor PNG"
        raise Quarantined(
            f"{path}: is {kind} by its content; download it again or save it as TIFF."
        )
    if claims.width * claims.height > tiff.LIMIT_PIXELS or not claims.width * claims.height:
        raise UserError(
            f"{path}: claims {claims.width} x {claims.height} pixels, at most {tiff.LIMIT_PIXELS} "
            "are read; scale the slice down or save it again."
        )
    return claims


def _tiff_claims(path: Path, raw: bytes) -> _Claims:
    tags = tiff.parse(path, raw)
    if tags.pages > 1:
        raise UserError(f"{path}: has several pages; save one slice a file.")
    if tags.orientation != 1:
        raise Quarantined(
            f"{path}: its orientation tag {tags.orientation} turns the picture, and readers "
            "disagree on whether to obey; save it upright with orientation 1."
        )
    if len(set(tags.bits)) > 1 or tags.photometric not in (0, 1, 2, 3):
        raise UserError(
            f"{path}: expected grey, RGB or palette of one depth, received photometric "
            f"{tags.photometric} with {tags.bits} bits; save the slice as RGB."
        )
    warnings = () if path.suffix.lower() in (".tif", ".tiff") else ("is a TIFF by its content",)
    palette = tags.photometric == 3
    return _Claims(tags.width, tags.height, tags.bits[0], tags.samples, palette, warnings)


def _png_claims(path: Path, raw: bytes) -> _Claims:
    if raw[12:16] != b"IHDR" or len(raw) < 29 or b"IEND" not in raw[-16:]:
        raise Quarantined(f"{path}: truncated or damaged PNG; copy or download it again.")
    width, height, bits, colour = struct.unpack_from(">IIBB", raw, 16)
    warnings = () if path.suffix.lower() == ".png" else ("is a PNG by its content",)
    return _Claims(width, height, bits, PNG_SAMPLES.get(colour, 0), colour == 3, warnings)


def _decode(path: Path, raw: bytes, claims: _Claims) -> np.ndarray:
    try:
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _undecodable(path) from error
    if pixels is None:
        raise _undecodable(path)
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    wanted = CHANNELS if claims.palette else claims.samples
    if pixels.shape[:2] != (claims.height, claims.width) or samples not in (wanted, claims.samples):
        raise UserError(
            f"{path}: its header says {claims.height} x {claims.width} x {claims.samples}, OpenCV "
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
            f"{path}: {count} pixels are NaN or infinite; mend the file, or let --nan-to-zero "
            "set them to 0 and count them."
        )
    if not count:
        return pixels, ()
    return np.where(odd, np.float32(0), pixels), (f"{count} pixels were NaN or infinite: 0",)
