"""Whether the packed pixels of a TIFF unpack to as much as they should.

OpenCV returns a black picture, or half of one, where a strip is damaged: it logs that, and calls
the decoding a success. So the lengths are counted here, which needs no pixels.
"""

import zlib

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
CLEAR, END, FIRST = 256, 257, 258  # codes of LZW (TIFF 6.0, section 13)


def unpacked_size(strip: bytes, compression: int) -> int | None:
    """Count the bytes that a strip unpacks to, as far as it is sound; None: not known."""
    if compression == NONE:
        return len(strip)
    if compression == LZW:
        return _lzw(strip)
    if compression == PACKBITS:
        return _packbits(strip)
    if compression in (DEFLATE, OLD_DEFLATE):
        return _deflate(strip)
    return None


def _deflate(strip: bytes) -> int:
    try:
        return len(zlib.decompress(strip))
    except zlib.error:
        return 0


def _packbits(strip: bytes) -> int:
    size = at = 0
    while at < len(strip):
        run = strip[at]
        size += run + 1 if run < 128 else 257 - run if run > 128 else 0
        at += run + 2 if run < 128 else 2 if run > 128 else 1
    return size if at == len(strip) else 0


def _lzw(strip: bytes) -> int:
    """Follow the codes, keeping of each entry of the table only its length."""
    lengths: list[int] = []
    size = previous = held = bits = 0
    width = 9
    for byte in strip:
        held, bits = (held << 8 | byte) & 0xFFFFFFFF, bits + 8
        if bits < width:
            continue
        bits -= width
        code = held >> bits & (1 << width) - 1
        if code == END:
            return size
        if code == CLEAR:
            lengths, width, previous = [], 9, 0
            continue
        if code > FIRST + len(lengths) or (code >= FIRST and not previous):
            return 0
        if previous:
            lengths.append(previous + 1)
        previous = 1 if code < CLEAR else lengths[code - FIRST] if code >= FIRST else 0
        size += previous
        width = min(12, (FIRST + len(lengths) + 1).bit_length())
    return size
