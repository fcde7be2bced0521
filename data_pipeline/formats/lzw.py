"""How much a strip of LZW unpacks to, counted by arrays instead of a loop over its codes.

The width of a code depends only on how many came before it since the table was cleared, so where
the codes lie is known before any is read. A code that is no literal stands for one byte more than
the code which began its entry: a forest, whose depths are the lengths.
"""

from functools import lru_cache

import numpy as np

CLEAR, END, FIRST = 256, 257, 258  # TIFF 6.0, section 13
WIDEST = 12
MOST_CODES = (1 << WIDEST) + 1024 - FIRST  # between two CLEARs: here libtiff gives up as well
SHORT = 16  # codes between two CLEARs: no writer clears its table so often, a hostile file may


def unpacked_size(strip: memoryview, most: int) -> int:
    """Count until `most` bytes are reached; 0 where a code names an entry that is not there."""
    words = _words(strip)
    _, ends = _places()
    size = pieces = 0
    at = int(ends[0]) * (words[0] >> 15 == CLEAR)  # strips begin with one
    while size < most:
        fitting = np.searchsorted(ends, 8 * len(strip) - at, "right")
        codes = _codes(words, at, int(fitting))
        (stops,) = ((codes | 1) == END).nonzero()  # CLEAR or END
        count = int(stops[0]) if stops.size else len(codes)
        entries = codes[:count] - FIRST
        if (entries >= _numbers()[:count]).any():
            return 0
        size += _lengths(entries)
        pieces += 1
        if not stops.size:
            return size if count < MOST_CODES else 0
        if codes[count] == END:
            return size
        if pieces > SHORT + size // SHORT:
            return 0
        at += int(ends[count])
    return size


def _words(strip: memoryview) -> np.ndarray:
    """Give three bytes from each place on as one number: room for 12 bits that begin anywhere."""
    padded = np.zeros(len(strip) + 3, np.int32)
    padded[: len(strip)] = np.frombuffer(strip, np.uint8)
    return padded[:-2] << 16 | padded[1:-1] << 8 | padded[2:]


@lru_cache
def _numbers() -> np.ndarray:
    return np.arange(MOST_CODES, dtype=np.int32)


@lru_cache
def _places() -> tuple[np.ndarray, np.ndarray]:
    """Say at which bit behind a CLEAR each code begins and ends."""
    table = np.maximum(FIRST, FIRST + _numbers() - 1)  # entries when a code is read
    widths = np.minimum(WIDEST, np.frexp(table + 1)[1])
    ends = np.cumsum(widths)
    return ends - widths, ends


@lru_cache
def _shifts(phase: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Say, by the bit of a byte at which codes begin, where each lies in which word."""
    starts, ends = (bits + phase for bits in _places())
    words, widths = starts >> 3, ends - starts
    shifts = (24 - (starts & 7) - widths).astype(np.int32)
    return words, shifts, ((1 << widths) - 1).astype(np.int32)


def _codes(words: np.ndarray, at: int, count: int) -> np.ndarray:
    places, shifts, masks = _shifts(at & 7)
    return words[at >> 3 :].take(places[:count]) >> shifts[:count] & masks[:count]


def _lengths(entries: np.ndarray) -> int:
    """Add up the depths of a forest of codes, each with the number of the one it grew from."""
    before = np.zeros(len(entries) + 1, np.intp)  # the first stands for no code
    np.maximum(entries, -1, out=before[1:])
    before[1:] += 1
    lengths = np.ones(len(before), np.intp)
    lengths[0] = 0
    while before.any():
        lengths += lengths.take(before)  # those of twice as many steps
        before = before.take(before)
    return int(lengths.sum())
