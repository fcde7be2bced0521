"""Normalisations against their closed forms."""

import cv2
import numpy as np
import pytest

from data_pipeline.cases.case import Volume
from data_pipeline.errors import UserError
from data_pipeline.grid import geometry
from data_pipeline.preparing.normalise import NORMALISATIONS, _moments, count_flat, normalise
from data_pipeline.preparing.preparation import Preparation
from data_pipeline.preparing.prepare_case import prepared_channels


@pytest.fixture
def volume():
    rng = np.random.default_rng(0)
    values = rng.integers(1, 2000, (4, 16, 16, 2)).astype(np.int16)
    values[:, :4] = 0
    return values


def test_zscore_has_mean_0_and_deviation_1_within_the_brain(volume):
    result = normalise(volume, "zscore_brain")
    assert result.dtype == np.float32
    for channel in range(2):
        brain = volume[..., channel] != 0
        assert abs(result[brain, channel].mean(dtype=np.float64)) < 1e-6
        assert abs(result[brain, channel].std(dtype=np.float64) - 1) < 1e-6
        assert (result[~brain, channel] == 0).all()


@pytest.mark.parametrize("value", [0, 7])
def test_zscore_of_a_constant_is_0_and_counted(volume, value):
    volume[..., 1] = np.where(volume[..., 0] != 0, value, 0)
    result = normalise(volume, "zscore_brain")
    assert (result[..., 1] == 0).all()
    assert np.isfinite(result).all()
    assert count_flat(volume, "zscore_brain") == 1


def test_minmax_stretches_each_slice_and_channel(volume):
    volume[2, ..., 1] = 5
    result = normalise(volume, "minmax_slice")
    assert (result[2, ..., 1] == 0).all()
    assert count_flat(volume, "minmax_slice") == 1
    for index, channel in ((0, 0), (1, 1), (3, 0)):
        plane = volume[index, ..., channel].astype(float)
        expected = (plane - plane.min()) / np.ptp(plane)
        np.testing.assert_allclose(result[index, ..., channel], expected, atol=1e-6)


def test_div255_keeps_bytes_and_refuses_other_types(volume):
    narrow = (volume % 256).astype(np.uint8)
    assert normalise(narrow, "div255") is narrow
    with pytest.raises(UserError, match=r"int16.*zscore_brain"):
        normalise(volume, "div255")


def test_none_keeps_the_values(volume):
    np.testing.assert_array_equal(normalise(volume, "none"), volume.astype(np.float32))


def test_gaussian_clahe_is_blur_then_equalisation():
    rng = np.random.default_rng(1)
    volume = rng.integers(0, 90, (2, 64, 64, 4), np.uint8)
    result = normalise(volume, "gaussian_clahe")
    assert result.dtype == np.uint8
    assert np.ptp(result[0, ..., 0]) > np.ptp(cv2.GaussianBlur(volume[0, ..., 0], (3, 3), 1.5))
    taps = np.exp(-np.array([1, 0, 1]) / (2 * 1.5**2))
    kernel = np.outer(taps, taps) / taps.sum() ** 2
    padded = np.pad(volume[1, ..., 2].astype(float), 1, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    blurred = np.rint((windows * kernel).sum((2, 3))).astype(np.uint8)
    expected = cv2.createCLAHE(2.0, (8, 8)).apply(blurred)
    assert np.abs(result[1, ..., 2].astype(int) - expected).mean() < 1


def lightness(picture):
    """L* of sRGB by its definition (IEC 61966-2-1, CIE 1976), from 0 to 255."""
    unit = picture.astype(float) / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    root = np.where(y > (6 / 29) ** 3, np.cbrt(y), y / (3 * (6 / 29) ** 2) + 4 / 29)
    return (116 * root - 16) * 2.55


def test_gaussian_clahe_of_three_channels_equalises_their_lightness():
    grey = np.random.default_rng(2).integers(60, 120, (1, 64, 64, 1), np.uint8)
    volume = (grey + np.array([8, 0, -8])).astype(np.uint8)
    result = normalise(volume, "gaussian_clahe")
    blurred = cv2.GaussianBlur(volume[0], (3, 3), 1.5)
    expected = cv2.createCLAHE(2.0, (8, 8)).apply(np.rint(lightness(blurred)).astype(np.uint8))
    assert np.abs(lightness(result[0]) - expected).mean() < 2
    assert (np.diff(result[0].astype(int), axis=-1).mean((0, 1)) < -2).all()  # still reddish
    flat = normalise(grey.repeat(3, -1), "gaussian_clahe")[0].astype(int)
    assert np.ptp(flat, axis=-1).max() <= 1  # grey stays grey


def test_gaussian_clahe_takes_other_types(volume):
    result = normalise(volume, "gaussian_clahe")
    assert result.dtype == np.uint8
    assert result.shape == volume.shape
    assert np.ptp(result) > 100


def test_constants_never_become_nan():
    constant = np.full((2, 16, 16, 1), 9, np.uint8)
    for name in NORMALISATIONS:
        assert np.isfinite(normalise(constant, name)).all()


def test_unknown_name_suggests_the_closest(volume):
    with pytest.raises(UserError, match="Did you mean 'zscore_brain'"):
        normalise(volume, "zscore")


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("offset", [-300, 7])
def test_a_background_that_is_not_zero_is_none_of_the_brain(offset, dtype):
    """As in scans that somebody normalised together with the air around them."""
    stripped = np.zeros((6, 10, 10, 2), dtype)
    stripped[1:5, 2:8, 3:8] = np.random.default_rng(4).integers(50, 200, (4, 6, 5, 2))
    shifted = stripped + np.array([offset, 0], dtype)
    expected = normalise(stripped, "zscore_brain")
    np.testing.assert_allclose(normalise(shifted, "zscore_brain"), expected, atol=1e-5)
    assert count_flat(shifted, "zscore_brain") == 0
    plan = geometry.of_volume(shifted, (2, 2, 2))
    assert plan == geometry.of_volume(stripped, (2, 2, 2))
    assert plan.box == ((1, 5), (2, 8), (3, 8))


def test_a_brain_that_fills_the_frame_has_no_background():
    full = np.random.default_rng(5).integers(50, 60, (4, 6, 6, 1)).astype(np.float32)
    full[::3, ::5, ::5] = 55  # its corners agree by chance, while zeros lie within
    full[1:3, 1:5, 1:5] = 0
    expected = full[full != 0]
    result = normalise(full, "zscore_brain")
    assert (result[full == 0] == 0).all()
    np.testing.assert_allclose(
        result[full != 0], (expected - expected.mean()) / expected.std(), atol=1e-5
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("count", [5, 1000, 65_536, 65_537, 300_001, 1_048_583])
def test_moments_are_those_of_numpy_to_the_bit(dtype, count):
    values = np.random.default_rng(count).gamma(3, 20, count).astype(dtype)
    mean, deviation = _moments(values)
    assert mean == values.astype(np.float64).mean()
    assert deviation == values.astype(np.float64).std()


@pytest.mark.parametrize("name", ["none", "minmax_slice", "zscore_brain"])
def test_channels_are_normalised_apart(name):
    """They are prepared one by one, which takes a fourth of the room."""
    volume = np.random.default_rng(1).integers(0, 900, (4, 24, 20, 3)).astype(np.int16)
    volume[:, :5] = 0
    apart = [normalise(volume[..., c : c + 1], name) for c in range(3)]
    np.testing.assert_array_equal(np.concatenate(apart, axis=-1), normalise(volume, name))


def test_three_channels_that_are_one_picture_are_prepared_together():
    image = np.random.default_rng(1).integers(0, 255, (4, 24, 20, 3)).astype(np.uint8)
    volume = Volume(image, ("a", "b", "c"), None, np.eye(4), (1.0, 1.0, 1.0), in_mm=False)
    preparation = Preparation(2, (24, 20), volume.channels, "gaussian_clahe")
    plan = geometry.of_slices(image.shape[:3], preparation.size)
    prepared = prepared_channels(volume.split(), preparation, plan)
    np.testing.assert_array_equal(np.stack([*prepared], -1), normalise(image, "gaussian_clahe"))
