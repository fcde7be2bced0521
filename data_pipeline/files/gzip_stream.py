"""Gzip read to its last byte, so that a flipped bit is found now and not in the third epoch.

Readers of NIfTI usually stop once they have the voxels, before the checksum that stands behind
them. zlib verifies checksum and length itself, provided that the end is reached.
"""

import zlib
from pathlib import Path

from data_pipeline.errors import Quarantined, UserError

MAGIC = b"\x1f\x8b"
SURPLUS = 1 << 20  # padding behind the voxels that is still no reason to refuse a file
CHUNK = 1 << 20
PART = 64 << 20  # unpacked at a time: zlib holds what it gives twice
GZIP_WRAPPER = 31  # zlib's word for: expect the gzip header and trailer, and verify them


def inflate(path: Path, raw: bytes, size: int) -> memoryview:
    """Give the first `size` bytes of what `raw` unpacks to, once all of it has been verified."""
    payload, kept, surplus = bytearray(size), 0, 0  # memory is taken where it is written to
    member, rest = zlib.decompressobj(GZIP_WRAPPER), raw
    while True:
        part = _step(path, member, rest, min(max(size - kept, CHUNK), PART))
        wanted = min(len(part), size - kept)
        payload[kept : kept + wanted] = part if wanted == len(part) else part[:wanted]
        surplus += len(part) - wanted
        kept += wanted
        if surplus > SURPLUS:
            raise UserError(
                f"{path}: holds more than the {size} bytes that its header announces; "
                "export the scan again."
            )
        rest = member.unconsumed_tail
        if member.eof:
            rest = _next_member(path, member.unused_data)
            if not rest:
                break
            member = zlib.decompressobj(GZIP_WRAPPER)
        elif not part and not rest:
            raise _damaged(path, "the compressed data ends early")
    return memoryview(payload)[:kept]


def peek(path: Path, raw: bytes, size: int) -> bytes:
    """Give up to `size` bytes from the beginning, unverified."""
    return _step(path, zlib.decompressobj(GZIP_WRAPPER), raw[: 64 * size], size)


def verify(path: Path, raw: bytes) -> None:
    """Read to the end and keep nothing; a broken checksum raises `Quarantined`."""
    member, rest = zlib.decompressobj(GZIP_WRAPPER), raw
    while rest and not member.eof:
        part = _step(path, member, rest, CHUNK)
        rest = member.unconsumed_tail
        if not part and not rest and not member.eof:
            raise _damaged(path, "the compressed data ends early")


def _step(path: Path, member, data: bytes, size: int) -> bytes:
    try:
        return member.decompress(data, size)
    except zlib.error as error:
        raise _damaged(path, str(error).split(": ")[-1]) from error


def _next_member(path: Path, rest: bytes) -> bytes:
    """Several members in one file are valid gzip (pigz, bgzip), and so is padding with zeros."""
    if rest[:2] == MAGIC or not rest.strip(b"\0"):
        return rest.strip(b"\0") and rest
    raise _damaged(path, f"{len(rest)} bytes of something else follow the compressed data")


def _damaged(path: Path, reason: str) -> Quarantined:
    return Quarantined(f"{path}: damaged gzip file ({reason}); copy or download it again.")
