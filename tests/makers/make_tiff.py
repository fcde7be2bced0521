"""TIFF and BigTIFF written by hand, so that a test knows which colour it put where."""

import struct
import zlib
from pathlib import Path

import numpy as np

SIDE = 16
NONE, LZW, DEFLATE = 1, 5, 8
FORMATS = {"u": 1, "i": 2, "f": 3}


def lzw(data: bytes) -> bytes:
    """Valid LZW of literals alone: the table is cleared before its codes outgrow nine bits."""
    codes = [256]
    for count, byte in enumerate(data, start=1):
        codes += [byte, 256] if count % 200 == 0 else [byte]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def tiff(
    pixels: np.ndarray,
    *,
    compression: int = NONE,
    planar: bool = False,
    big: bool = False,
    order: str = "<",
    pages: int = 1,
    bits: int | None = None,
    claim: tuple[int, int] | None = None,
    extra: dict[int, tuple[int, ...]] | None = None,
) -> bytes:
    """Write (H, W) or (H, W, S) pixels in their own order of channels; `extra` overrides tags."""
    array = pixels if pixels.ndim == 3 else pixels[..., None]
    height, width, samples = array.shape
    planes = [array[..., s] for s in range(samples)] if planar else [array]
    encode = {NONE: bytes, LZW: lzw, DEFLATE: zlib.compress}[compression]
    strips = [encode(_stored(plane, order, bits)) for plane in planes]
    header = 16 if big else 8
    offsets = header + np.cumsum([0, *map(len, strips)])
    tags = {
        256: (claim[0] if claim else width,),
        257: (claim[1] if claim else height,),
        258: (bits or 8 * array.dtype.itemsize,) * samples,
        259: (compression,),
        262: (2 if samples >= 3 else 1,),
        273: tuple(int(offset) for offset in offsets[:-1]),
        277: (samples,),
        278: (height,),
        279: tuple(map(len, strips)),
        284: (2 if planar else 1,),
        339: (FORMATS[array.dtype.kind],) * samples,
        **(extra or {}),
    }
    return _file(tags, b"".join(strips), order, big, pages)


def _stored(plane: np.ndarray, order: str, bits: int | None) -> bytes:
    if bits == 1:
        return np.packbits(plane[..., 0] if plane.ndim == 3 else plane, axis=1).tobytes()
    return plane.astype(plane.dtype.newbyteorder(order)).tobytes()


def _file(tags: dict, strips: bytes, order: str, big: bool, pages: int) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    start = (16 if big else 8) + len(strips)
    head = (
        struct.pack(order + "HHHQ", 43, 8, 0, start)
        if big
        else struct.pack(order + "HI", 42, start)
    )
    body = mark + head + strips
    for page in range(pages):
        body += _directory(tags, order, big, len(body), last=page == pages - 1)
    return body


def _directory(tags: dict, order: str, big: bool, start: int, last: bool) -> bytes:
    kind, form, inline, size = (16, "Q", 8, 20) if big else (4, "I", 4, 12)
    table, outside = b"", b""
    behind = start + (8 if big else 2) + len(tags) * size + inline
    for tag, values in sorted(tags.items()):
        short = tag not in (256, 257, 273, 278, 279)
        number, letter = (3, "H") if short else (kind, form)
        data = struct.pack(f"{order}{len(values)}{letter}", *values)
        if len(data) > inline:
            pointer = struct.pack(order + form, behind + len(outside))
            outside += data
            data = pointer
        count = struct.pack(order + ("HHQ" if big else "HHI"), tag, number, len(values))
        table += count + data.ljust(inline, b"\0")
    number = struct.pack(order + ("Q" if big else "H"), len(tags))
    following = 0 if last else behind + len(outside)
    return number + table + struct.pack(order + form, following) + outside


def slice_pixels(seed: int, shape=(SIDE, SIDE, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 256, shape, dtype=np.uint8)


def mask_pixels(white: int = 255, shape=(SIDE, SIDE)) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[4:9, 5:11] = white
    return mask


def lgg(
    root: Path, cases=("TCGA_CS_4941_19960909", "TCGA_DU_5849_19950405"), slices: int = 3
) -> Path:
    """Two sound patients of three slices."""
    for seed, case in enumerate(cases):
        (root / "kaggle_3m" / case).mkdir(parents=True)
        for number in range(1, slices + 1):
            path = root / "kaggle_3m" / case / f"{case}_{number}.tif"
            path.write_bytes(tiff(slice_pixels(1000 * seed + number)))
            path.with_name(f"{path.stem}_mask.tif").write_bytes(tiff(mask_pixels()))
    return root
