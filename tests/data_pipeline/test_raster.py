"""Pixels of TIFF and PNG: colours where they belong, depths kept, damage found."""

import zlib

import cv2
import numpy as np
import pytest
from make_tiff import DEFLATE, LZW, mask_pixels, slice_pixels, tiff

from data_pipeline import raster, tiff_strips
from data_pipeline.errors import Quarantined, UserError
from data_pipeline.tiff import _pages as pages_of

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
    total = sum(tiff_strips.unpacked_size(strip, compression) for strip in strips)
    assert total == pixels.size


def test_size_of_a_broken_strip_is_none_or_short():
    packed = zlib.compress(bytes(1000))
    assert tiff_strips.unpacked_size(packed[:-6], DEFLATE) == 0
    assert tiff_strips.unpacked_size(bytes([5, 1, 2]), PACKBITS) == 0
    assert tiff_strips.unpacked_size(b"jpeg", 7) is None
