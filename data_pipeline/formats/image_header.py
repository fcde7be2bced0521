"""What a TIFF or PNG file claims to hold, looked at before anything is allocated or decoded."""

import struct
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.errors import Quarantined, UserError
from data_pipeline.formats import tiff

PNG = b"\x89PNG\r\n\x1a\n"
PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type


@dataclass(frozen=True)
class Claims:
    """What a file says it holds, before anything is decoded."""

    width: int
    height: int
    bits: int
    samples: int
    palette: bool = False
    warnings: tuple[str, ...] = ()


def read(path: Path, raw: bytes) -> Claims:
    """Read the header of a TIFF or PNG; one that can't be meant or trusted is refused."""
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


def _tiff_claims(path: Path, raw: bytes) -> Claims:
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
    return Claims(tags.width, tags.height, tags.bits[0], tags.samples, palette, warnings)


def _png_claims(path: Path, raw: bytes) -> Claims:
    if raw[12:16] != b"IHDR" or len(raw) < 29 or b"IEND" not in raw[-16:]:
        raise Quarantined(f"{path}: truncated or damaged PNG; copy or download it again.")
    width, height, bits, colour = struct.unpack_from(">IIBB", raw, 16)
    warnings = () if path.suffix.lower() == ".png" else ("is a PNG by its content",)
    return Claims(width, height, bits, PNG_SAMPLES.get(colour, 0), colour == 3, warnings)
