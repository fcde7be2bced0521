"""Pixels of TIFF and PNG: colours where they belong, depths kept, damage found."""

import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from make_tiff import DEFLATE, LZW, mask_pixels, slice_pixels, tiff

from data_pipeline.errors import Quarantined, UserError
from data_pipeline.formats import raster, tiff_parts, tiff_strips
from data_pipeline.formats.tiff import _pages as pages_of

PACKBITS = 32773
COLOURS = slice_pixels(5, (12, 9, 3))
COLOURS[2, 3] = (201, 52, 13)  # red, green, blue


def read(tmp_path, raw: bytes, name: str = "x_1.tif") -> raster.Raster:
    path = tmp_path / name
    path.write_bytes(raw)
    return raster.read_image(path)


@pytest.mark.parametrize("compression", [1, LZW, DEFLATE])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_colours_of_a_tiff(tmp_path, compression, planar, big, order):
    raw = tiff(COLOURS, compression=compression, planar=planar, big=big, order=order)
    pixels = read(tmp_path, raw).array
    assert pixels[2, 3].tolist() == [201, 52, 13]
    np.testing.assert_array_equal(pixels, COLOURS)


def test_colours_of_a_png(tmp_path):
    raw = cv2.imencode(".png", COLOURS[..., ::-1])[1].tobytes()  # OpenCV takes BGR
    result = read(tmp_path, raw, "x_1.png")
    np.testing.assert_array_equal(result.array, COLOURS)
    assert result.warnings == ()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_depth_is_kept(tmp_path, dtype):
    deep = COLOURS.astype(dtype) * 200
    pixels = read(tmp_path, tiff(deep)).array
    assert pixels.dtype == dtype
    np.testing.assert_array_equal(pixels, deep)


@pytest.mark.parametrize(
    ("raw", "white"),
    [
        (tiff(mask_pixels(255)), True),
        (tiff(mask_pixels(1)), True),
        (tiff(mask_pixels(1), bits=1), True),
        (tiff(mask_pixels(1).astype(np.uint16) * 65535), True),
        (tiff(np.repeat(mask_pixels(255)[..., None], 3, 2)), True),
        (tiff(mask_pixels(255), compression=LZW), True),
        (tiff(mask_pixels(1), bits=1, extra={262: (0,)}), False),
        (tiff(255 - mask_pixels(255), extra={262: (0,)}), True),
        (tiff(mask_pixels(1), extra={262: (3,), 320: (0, 65535, *[0] * 766)}), True),
        (cv2.imencode(".png", mask_pixels(255))[1].tobytes(), True),
    ],
    ids=["0/255", "0/1", "1 bit", "16 bit", "grey RGB", "LZW", "1 bit, 0 is white",
         "8 bit, 0 is white", "palette", "PNG"],
)  # fmt: skip
def test_masks_of_every_kind(tmp_path, raw, white):
    path = tmp_path / "x_1_mask.tif"
    path.write_bytes(raw)
    mask = raster.read_mask(path).array
    expected = mask_pixels(1) if white else 1 - mask_pixels(1)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, expected)


def test_palette_of_two_colours_beside_black_is_no_mask(tmp_path):
    path = tmp_path / "x_1_mask.tif"
    pixels = mask_pixels(1) + np.eye(16, dtype=np.uint8)
    path.write_bytes(tiff(pixels, extra={262: (3,), 320: (0, 65535, 30000, *[0] * 765)}))
    with pytest.raises(UserError, match="colours"):
        raster.read_mask(path)


@pytest.mark.parametrize("compression", [LZW, DEFLATE])
@pytest.mark.parametrize("at", [12, 100, 300])
def test_damage_that_opencv_passes_over_is_found(tmp_path, compression, at):
    raw = tiff(COLOURS, compression=compression)
    broken = raw[:at] + b"\xff\xff\xff\xff" + raw[at + 4 :]
    with pytest.raises(Quarantined):
        read(tmp_path, broken)


@pytest.mark.parametrize("kind", ["noise", "flat", "ramp"])
@pytest.mark.parametrize("compression", [LZW, DEFLATE, PACKBITS])
def test_sizes_of_strips_that_opencv_packed(kind, compression):
    shape = (256, 256, 3)
    pixels = {
        "noise": slice_pixels(1, shape),
        "flat": np.full(shape, 9, np.uint8),
        "ramp": np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None], shape).copy(),
    }[kind]
    flags = [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_ROWSPERSTRIP, 256]
    raw = cv2.imencode(".tif", pixels, flags)[1].tobytes()
    pages = list(pages_of(raw))
    offsets, sizes = pages[0][273], pages[0][279]
    strips = [raw[start : start + size] for start, size in zip(offsets, sizes, strict=True)]
    total = sum(size_of(strip, compression) for strip in strips)
    assert total == pixels.size


def size_of(strip: bytes, compression: int, most: int = 1 << 20) -> int | None:
    return tiff_strips.unpacked_size(memoryview(strip), compression, most)


def test_size_of_a_broken_strip_is_none_or_short():
    packed = zlib.compress(bytes(1000))
    assert size_of(packed[:-6], DEFLATE) == 0
    assert size_of(packed, DEFLATE, most=999) == 0
    assert size_of(bytes([5, 1, 2]), PACKBITS) == 0
    assert size_of(b"jpeg", 7) is None


def followed(strip: bytes) -> int:
    """Follow the codes of LZW one by one, keeping of each entry only its length."""
    lengths: list[int] = []
    size = previous = held = bits = 0
    width = 9
    for byte in strip:
        held, bits = (held << 8 | byte) & 0xFFFFFFFF, bits + 8
        if bits < width:
            continue
        bits -= width
        code = held >> bits & (1 << width) - 1
        if code == 257:
            return size
        if code == 256:
            lengths, width, previous = [], 9, 0
            continue
        if code > 258 + len(lengths) or (code >= 258 and not previous):
            return 0
        if previous:
            lengths.append(previous + 1)
        previous = 1 if code < 256 else lengths[code - 258] if code >= 258 else 0
        size += previous
        width = min(12, (258 + len(lengths) + 1).bit_length())
    return size


@pytest.mark.parametrize("kind", ["noise", "flat", "smooth"])
def test_arrays_count_lzw_as_a_loop_over_its_codes_does(kind):
    rng = np.random.default_rng(7)
    noise = rng.integers(0, 256, (40, 256, 3), dtype=np.uint8)
    pixels = {
        "noise": noise,
        "flat": np.zeros((120, 256, 3), np.uint8),
        "smooth": cv2.GaussianBlur(noise, (9, 9), 0),
    }[kind]
    raw = cv2.imencode(".tif", pixels)[1].tobytes()
    page = next(iter(pages_of(raw)))
    for start, size in zip(page[273], page[279], strict=True):
        strip = raw[start : start + size]
        assert size_of(strip, LZW) == followed(strip)
        for _ in range(3):
            damaged = bytearray(strip)
            damaged[rng.integers(size)] ^= 1 << rng.integers(8)
            damaged = damaged[: rng.integers(1, size + 1)]
            assert size_of(bytes(damaged), LZW) == followed(damaged)


def test_a_table_cleared_after_every_code_is_not_followed_for_hours():
    codes = "".join(f"{code:09b}" for code in [65, 256] * 40_000)
    assert size_of(int(codes, 2).to_bytes(len(codes) // 8, "big"), LZW) == 0


def test_a_strip_that_is_short_is_not_made_up_for_by_one_that_is_long():
    strips = [zlib.compress(bytes(size)) for size in (64, 32)]
    sizes = [len(strip) for strip in strips]
    for full, last, fine in ((64, 32, True), (64, 33, False), (63, 31, False)):
        parts = tiff_parts.Parts((0, sizes[0]), sizes, planes=1, count=2, full=full, last=last)
        assert parts.sound(b"".join(strips), DEFLATE) == fine


def peak_of(work) -> int:
    """Count the bytes at the worst moment of a work that is refused."""
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as refusal:
            work()
        assert len(str(refusal.value).splitlines()) == 1
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_small_file_does_not_unpack_to_more_than_its_picture(tmp_path):
    bomb = zlib.compress(bytes(100 << 20))
    start = len(tiff(COLOURS, compression=DEFLATE))
    raw = tiff(COLOURS, compression=DEFLATE, extra={273: (start,), 279: (len(bomb),)})
    assert len(raw) == start
    assert peak_of(lambda: read(tmp_path, raw + bomb)) < 10 << 20


def test_tags_that_name_the_same_bytes_over_and_over_take_no_memory(tmp_path):
    count, values = 20_000, 40_000
    tags = [struct.pack("<HHQQ", 1000 + number, 16, values, 16) for number in range(count)]
    size = [struct.pack("<HHQQ", tag, 4, 1, 16) for tag in (256, 257)]
    head = struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, count + 2)
    raw = b"".join([head, *size, *tags, bytes(8)])
    assert peak_of(lambda: read(tmp_path, raw)) < 10 << 20


@pytest.mark.parametrize("rows", [1, 3])
def test_strips_that_all_name_the_same_bytes_are_damage(tmp_path, rows):
    whole = tiff(COLOURS)
    strips = {278: (rows,), 273: (8,) * (12 // rows), 279: (27 * rows,) * (12 // rows)}
    with pytest.raises(Quarantined):
        read(tmp_path, tiff(COLOURS, extra={**strips, 279: (len(whole) - 8,) * (12 // rows)}))


@pytest.mark.parametrize("count", [1 << 63, (1 << 64) - 1, 1 << 40])
def test_counts_and_places_beyond_any_file_are_damage(tmp_path, count):
    """A mutation of a BigTIFF filled them with ones."""
    raw = struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, 1)
    raw += struct.pack("<HHQQ", 256, 16, count, count) + struct.pack("<Q", count)
    for damaged in (raw, raw[:8] + struct.pack("<Q", count) + raw[16:]):
        with pytest.raises(Quarantined):
            read(tmp_path, damaged)
