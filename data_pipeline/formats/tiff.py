"""The tags of a TIFF or BigTIFF file, read before OpenCV may guess from them.

OpenCV decodes pages, alpha, palettes and depths that it was not asked about into something else
without a word; and it allocates what the header claims. The tags say what is really there.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.errors import Quarantined
from data_pipeline.formats import tiff_parts

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# TIFF 6.0, section 8, as tag numbers.
WIDTH, HEIGHT, BITS, COMPRESSION = 256, 257, 258, 259
PHOTOMETRIC, ORIENTATION, SAMPLES = 262, 274, 277
LOOKED_AT = {WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION, SAMPLES}
LOOKED_AT |= tiff_parts.TAGS
FIELDS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # no tag looked at is negative
LIMIT_PIXELS = 8192 * 8192
LIMIT_BITS = 4 * 64  # of a pixel: RGBA of the widest numbers
LIMIT_VALUES = 1 << 20  # of a tag: a strip for each row of the highest picture, and many more
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
    except (struct.error, IndexError, OverflowError) as error:
        raise _truncated(path) from error
    first = pages[0] if pages else {}
    if not {WIDTH, HEIGHT} <= first.keys() or not all(first.values()):
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
        if tag not in LOOKED_AT or tag in tags or kind not in FIELDS:
            continue  # a hostile file names the same bytes in thousands of tags
        if number > LIMIT_VALUES:
            raise struct.error(f"tag {tag} has {number} values")
        values = f"{order}{number}{FIELDS[kind]}"
        place = entry + size - inline
        if struct.calcsize(values) > inline:
            (place,) = struct.unpack_from(order + ("Q" if big else "I"), raw, place)
        tags[tag] = struct.unpack_from(values, raw, place)
    (following,) = struct.unpack_from(order + ("Q" if big else "I"), raw, offset + count * size)
    return tags, following


def _complete(raw: bytes, first: dict[int, tuple[int, ...]], tags: Tags) -> bool:
    """Whether all strips (or tiles) are in the file and hold as much as the picture takes."""
    pixel = tags.samples * tags.bits[0]
    if tags.width * tags.height > LIMIT_PIXELS or pixel > LIMIT_BITS:
        return True  # refused for its size, which says more
    parts = tiff_parts.of(first, tags.width, tags.height, tags.samples, tags.bits[0])
    return parts is not None and parts.sound(raw, first.get(COMPRESSION, (1,))[0])


def _truncated(path: Path) -> Quarantined:
    return Quarantined(f"{path}: truncated or damaged TIFF; copy or download it again.")
