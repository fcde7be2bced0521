"""Keras' ImageDataGenerator as the oracle of `as_keras`, which shares no code with it."""

from math import degrees, radians

import numpy as np
import one_sample
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from data_pipeline.augmenting import warp
from data_pipeline.augmenting.augment import Augmentation, augment, augment_record
from data_pipeline.augmenting.motion import Motion, keras_affine
from data_pipeline.errors import UserError

SIDE = 48
RAMPS = np.stack(np.meshgrid(*[np.arange(SIDE, dtype=float)] * 2, indexing="ij"), -1)
ANGLES, PARTS = st.floats(-40, 40), st.floats(-0.2, 0.2)


def keras_moves(image, angle=0.0, shear=0.0, down=0.0, right=0.0, tall=1.0, wide=1.0):
    """Move `(rows, columns, C)` in Keras' units: degrees, voxels, factors."""
    image_module = pytest.importorskip("keras.src.legacy.preprocessing.image")
    return image_module.apply_affine_transform(
        image,
        theta=angle,
        # Keras turns rows and columns about before it moves, so its x are columns.
        tx=right,
        ty=down,
        shear=shear,
        zx=wide,
        zy=tall,
        row_axis=0,
        col_axis=1,
        channel_axis=2,
        fill_mode="nearest",
    )


@given(angle=ANGLES, shear=ANGLES, down=PARTS, right=PARTS, tall=PARTS, wide=PARTS)
@settings(max_examples=40, deadline=None)
def test_the_map_is_keras_to_the_last_digit(angle, shear, down, right, tall, wide):
    """Slices that hold their own row and column tell where each voxel came from."""
    zooms = (1 + tall, 1 + wide)
    matrix = keras_affine(
        (SIDE, SIDE), (False, False), radians(angle), radians(shear), (down, right), zooms
    )
    ours = RAMPS @ matrix[:, :2].T + matrix[:, 2]
    theirs = keras_moves(RAMPS, angle, shear, down * SIDE, right * SIDE, *zooms)
    inside = ((ours > 0) & (ours < SIDE - 1)).all(-1)
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=1e-9)


@pytest.mark.parametrize("flip", [False, True])
def test_a_slice_moves_as_keras_moves_it(flip):
    """Interpolation, the edge that goes on outside, and the flip behind the rest."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).random((SIDE, SIDE, 3)), (2, 2, 0))
    matrix = keras_affine((SIDE, SIDE), (False, flip), 0.3, 0.2, (0.1, -0.15), (0.9, 1.2))
    moved = warp.image(
        smooth.astype(np.float32), Motion((SIDE, SIDE), (False, flip), matrix, repeat=True)
    )
    expected = keras_moves(
        smooth, degrees(0.3), degrees(0.2), 0.1 * SIDE, -0.15 * SIDE, tall=0.9, wide=1.2
    )
    expected = np.flip(expected, 1) if flip else expected
    assert np.abs(moved - expected).max() < 0.02 * np.ptp(smooth)
    assert (moved > 0).all()  # no background enters


def test_rotation_and_shear_are_degrees():
    """What two projects ask for turns a slice of 256 by a pixel, as rotation_range=.25 does."""
    asked = Augmentation(rotation=0.25, shear=0.05, as_keras=True)
    corner = np.array([0.0, 0.0, 1.0])
    moved = [one_sample.moved(asked, (0, 0, n), (256, 256)).affine @ corner for n in range(200)]
    farthest = max(np.hypot(*where) for where in moved)
    limit = np.hypot(127.5, 127.5) * radians(0.25 + 0.05)
    assert 0.5 * limit < farthest <= limit
    numbers = one_sample.drawn((0, 0, 3))
    turn = radians(0.25 * (2 * numbers["rotation"] - 1))
    shear = radians(0.05 * (2 * numbers["shear_y"] - 1))
    matrix = one_sample.moved(asked, (0, 0, 3), (256, 256)).affine
    assert matrix[0, 1] == pytest.approx(np.sin(turn))
    assert matrix[1, 0] == pytest.approx(-np.sin(turn + shear))


def test_each_axis_has_a_zoom_of_its_own():
    zoomed = [
        np.diag(one_sample.moved(Augmentation(zoom=0.2, as_keras=True), (0, 0, n), (64, 64)).affine)
        for n in range(500)
    ]
    assert 0.8 <= np.min(zoomed) < 0.81
    assert 1.19 < np.max(zoomed) <= 1.2
    assert abs(np.corrcoef(np.transpose(zoomed))[0, 1]) < 0.1
    both = np.diag(one_sample.moved(Augmentation(zoom=0.2), (0, 0, 1), (64, 64)).affine)
    assert both[0] == both[1]  # as the common protocols have it


def test_a_mask_of_a_record_is_interpolated_and_cut_at_one_half():
    """As scripts do it that move masks like images, then ask for more than .5."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[14:30, 10:33] = 1
    record = np.concatenate([image, mask[..., None]], -1)
    asked = Augmentation(rotation=20, shift=0.1, shear=10, zoom=0.1, flip=0.5, as_keras=True)
    for n in range(5):
        numbers = one_sample.drawn((0, 0, n))
        _, moved = augment_record(record, asked, (0, 0, n))
        expected = keras_moves(
            mask[..., None].astype(float),
            angle=20 * (2 * numbers["rotation"] - 1),
            shear=10 * (2 * numbers["shear_y"] - 1),
            down=0.1 * SIDE * (2 * numbers["shift_y"] - 1),
            right=0.1 * SIDE * (2 * numbers["shift_x"] - 1),
            tall=1 + 0.1 * (2 * numbers["zoom"] - 1),
            wide=1 + 0.1 * (2 * numbers["zoom_x"] - 1),
        )[..., 0]
        expected = np.flip(expected, 1) if numbers["flip"] < 0.5 else expected
        assert (moved != (expected > 0.5)).mean() < 0.005


def test_volumes_move_slice_by_slice():
    volume = np.random.default_rng(1).random((4, SIDE, SIDE, 1)).astype(np.float32)
    mask = np.zeros(volume.shape[:-1], np.uint8)
    asked = Augmentation(rotation=20, shift=0.1, zoom=0.1, flip=0.5, as_keras=True)
    moved, _ = augment(volume, mask, asked, (0, 0, 7))
    for part, whole in zip(volume, moved, strict=True):
        alone, _ = augment(part, mask[0], asked, (0, 0, 7))
        np.testing.assert_allclose(whole, alone, atol=1e-6)


@pytest.mark.parametrize("change", [{"tilt": 5}, {"elastic": 0.02}, {"shear": 91}])
def test_what_keras_does_not_have_is_refused(change):
    with pytest.raises(UserError, match=next(iter(change))):
        Augmentation(**change, as_keras=True)
