"""Where the strips or tiles of a TIFF lie, and how much of the picture each must hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from data_pipeline.formats import tiff_strips

# TIFF 6.0, section 8 and section 15 (tiles), as tag numbers.
PLANAR, STRIPS, STRIP_ROWS, STRIP_SIZES = 284, 273, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_SIZES = 322, 323, 324, 325
LIMIT_TILE = 4096 * 4096  # pixels
TAGS = {PLANAR, STRIPS, STRIP_ROWS, STRIP_SIZES, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_SIZES}


@dataclass(frozen=True)
class Parts:
    """The packed parts of a picture; the last of each plane may hold less than the others."""

    offsets: Sequence[int]
    sizes: Sequence[int]
    planes: int
    count: int  # of a plane
    full: int  # bytes of a part
    last: int

    def sound(self, raw: bytes, compression: int) -> bool:
        """Whether all parts are in the file, apart from one another, and none gives too little."""
        ends = [start + size for start, size in zip(self.offsets, self.sizes, strict=False)]
        if len(ends) < self.planes * self.count or not ends:
            return False
        if max(ends) > len(raw) or sum(self.sizes) > len(raw):
            return False
        view = memoryview(raw)
        for number in range(self.planes * self.count):
            part = view[self.offsets[number] : ends[number]]
            needed = self.last if (number + 1) % self.count == 0 else self.full
            size = tiff_strips.unpacked_size(part, compression, self.full)
            if size is not None and size < needed:
                return False
        return True


def of(
    tags: Mapping[int, Sequence[int]], width: int, height: int, samples: int, bits: int
) -> Parts | None:
    """Divide a picture as its tags say; None where they can't be meant."""
    planes = max(1, samples) if tags.get(PLANAR, (1,))[0] == 2 else 1
    pixel = samples // planes * bits
    if TILES in tags:
        across, down = (tags.get(tag, (0,))[0] for tag in (TILE_WIDTH, TILE_HEIGHT))
        if not 0 < across * down <= LIMIT_TILE:
            return None
        count, size = ceil(width / across) * ceil(height / down), (across * pixel + 7) // 8 * down
        return Parts(tags[TILES], tags.get(TILE_SIZES, ()), planes, count, size, size)
    rows = min(tags.get(STRIP_ROWS, (height,))[0] or height, height)
    row = (width * pixel + 7) // 8
    count = ceil(height / rows) if rows else 0
    sizes = tags.get(STRIP_SIZES, ())
    return Parts(tags.get(STRIPS, ()), sizes, planes, count, rows * row, _rest(height, rows) * row)


def _rest(height: int, rows: int) -> int:
    return (height - 1) % rows + 1 if rows else 0
