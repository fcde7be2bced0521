"""Whether the packed pixels of a TIFF unpack to as much as they should.

OpenCV returns a black picture, or half of one, where a strip is damaged: it logs that, and calls
the decoding a success. So the lengths are counted here, which needs no pixels and no room for them.
"""

import zlib
from functools import lru_cache

from data_pipeline.formats import lzw

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
CHUNK = 1 << 20
SHORT = 512  # bytes of a strip that is likely blank, as most of a mask is: the same ones again


def unpacked_size(strip: memoryview, compression: int, most: int) -> int | None:
    """Count what a sound strip unpacks to, 0 for a damaged one or one over `most`; None: unknown.

    What lies behind the first `most` bytes of LZW and PackBits is not looked at.
    """
    if compression == NONE:
        return len(strip)
    if compression == LZW:
        short = len(strip) <= SHORT
        return _known(bytes(strip), most) if short else lzw.unpacked_size(strip, most)
    if compression == PACKBITS:
        return _packbits(strip, most)
    if compression in (DEFLATE, OLD_DEFLATE):
        return _deflate(strip, most)
    return None


@lru_cache
def _known(strip: bytes, most: int) -> int:
    return lzw.unpacked_size(memoryview(strip), most)


def _deflate(strip: memoryview, most: int) -> int:
    """Read to the checksum behind the data, a piece at a time."""
    stream, rest, size = zlib.decompressobj(), bytes(strip), 0
    try:
        while not stream.eof and size <= most:
            piece = stream.decompress(rest, CHUNK)
            rest = stream.unconsumed_tail
            size += len(piece)
            if not piece and not rest and not stream.eof:
                return 0
    except zlib.error:
        return 0
    return size if size <= most else 0


def _packbits(strip: memoryview, most: int) -> int:
    size = at = 0
    while at < len(strip) and size < most:
        run = strip[at]
        size += run + 1 if run < 128 else 257 - run if run > 128 else 0
        at += run + 2 if run < 128 else 2 if run > 128 else 1
    return size if at <= len(strip) else 0
