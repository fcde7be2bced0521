"""The tags of a TIFF or BigTIFF file, read before OpenCV may guess from them.

OpenCV decodes pages, alpha, palettes and depths that it was not asked about into something else
without a word; and it allocates what the header claims. The tags say what is really there.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data_pipeline import tiff_strips
from data_pipeline.errors import Quarantined

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# TIFF 6.0, section 8 and section 15 (tiles), as tag numbers.
WIDTH, HEIGHT, BITS, COMPRESSION = 256, 257, 258, 259
PHOTOMETRIC, ORIENTATION, SAMPLES = 262, 274, 277
STRIPS, STRIP_SIZES, TILES, TILE_SIZES = 273, 279, 324, 325
FIELDS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
LIMIT_PIXELS = 8192 * 8192
PAGES_COUNTED = 2  # one too many is all that needs to be known


@dataclass(frozen=True)
class Tags:
    """What the first page claims to be, and how many pages there are (2: at least two)."""

    width: int
    height: int
    bits: tuple[int, ...]
    samples: int
    photometric: int  # 0 white is zero, 1 black is zero, 2 RGB, 3 palette
    orientation: int  # 1: the first row is the top, the first column the left
    pages: int


def parse(path: Path, raw: bytes) -> Tags:
    """Read the tags; a file cut off inside or before its pixels is quarantined."""
    try:
        pages = list(_pages(raw))
    except (struct.error, KeyError) as error:
        raise _truncated(path) from error
    first = pages[0] if pages else {}
    if not {WIDTH, HEIGHT} <= first.keys():
        raise _truncated(path)
    tags = Tags(
        width=first[WIDTH][0],
        height=first[HEIGHT][0],
        bits=first.get(BITS, (1,)),
        samples=first.get(SAMPLES, (1,))[0],
        photometric=first.get(PHOTOMETRIC, (1,))[0],
        orientation=first.get(ORIENTATION, (1,))[0],
        pages=len(pages),
    )
    if not _complete(raw, first, tags):
        raise _truncated(path)
    return tags


def _pages(raw: bytes) -> Iterator[dict[int, tuple[int, ...]]]:
    order = "<" if raw[:2] == b"II" else ">"
    big = raw[2:4] in (b"+\0", b"\0+")
    (offset,) = struct.unpack_from(order + ("Q" if big else "I"), raw, 8 if big else 4)
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < PAGES_COUNTED:
        seen.add(offset)
        tags, offset = _directory(raw, offset, order, big)
        yield tags


def _directory(raw: bytes, offset: int, order: str, big: bool) -> tuple[dict, int]:
    count_format, entry_format, size = ("Q", "HHQ", 20) if big else ("H", "HHI", 12)
    (count,) = struct.unpack_from(order + count_format, raw, offset)
    offset += struct.calcsize(order + count_format)
    inline = 8 if big else 4
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(offset, offset + count * size, size):
        tag, kind, number = struct.unpack_from(order + entry_format, raw, entry)
        if kind not in FIELDS:
            continue  # rationals, texts and floats: none of them is looked at here
        values = f"{order}{number}{FIELDS[kind]}"
        place = entry + size - inline
        if struct.calcsize(values) > inline:
            (place,) = struct.unpack_from(order + ("Q" if big else "I"), raw, place)
        tags[tag] = struct.unpack_from(values, raw, place)
    (following,) = struct.unpack_from(order + ("Q" if big else "I"), raw, offset + count * size)
    return tags, following


def _complete(raw: bytes, first: dict[int, tuple[int, ...]], tags: Tags) -> bool:
    """Whether all strips (or tiles) are in the file and hold as much as the picture takes."""
    offsets = first.get(STRIPS) or first.get(TILES) or ()
    sizes = first.get(STRIP_SIZES) or first.get(TILE_SIZES) or ()
    ends = [start + size for start, size in zip(offsets, sizes, strict=False)]
    if not ends or max(ends) > len(raw):
        return False
    if tags.width * tags.height > LIMIT_PIXELS:
        return True  # refused for its size, which says more
    strips = [raw[start:end] for start, end in zip(offsets, ends, strict=True)]
    unpacked = [tiff_strips.unpacked_size(s, first.get(COMPRESSION, (1,))[0]) for s in strips]
    row = (tags.width * tags.samples * tags.bits[0] + 7) // 8
    return None in unpacked or sum(filter(None, unpacked)) >= row * tags.height


def _truncated(path: Path) -> Quarantined:
    return Quarantined(f"{path}: truncated or damaged TIFF; copy or download it again.")
