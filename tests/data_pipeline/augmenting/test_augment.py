"""Augmentation: image and mask move together, labels stay labels, keys alone decide."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import one_sample
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from data_pipeline.augmenting import warp
from data_pipeline.augmenting.augment import (
    Augmentation,
    augment,
    augment_record,
    augment_slabs,
)
from data_pipeline.augmenting.moves import draw, moves
from data_pipeline.errors import UserError

SPATIAL = Augmentation(
    rotation=25, shift=0.05, shear=0.1, zoom=0.15, flip=0.5, flip_vertical=0.5, flip_depth=0.5
)
BENT = dataclasses.replace(SPATIAL, tilt=15, elastic=0.02)
EVERYTHING = dataclasses.replace(BENT, gamma=0.3, contrast=0.3, noise=0.05, bias_field=0.3)
PINNED = [0.1274969049, 0.0825760674, 0.8110793361]
KEYS = st.tuples(st.integers(0, 2**40), st.integers(0, 10**6), st.integers(0, 10**9))


def blob(shape: tuple[int, ...], centre: tuple[float, ...], radius: float) -> np.ndarray:
    grid = np.indices(shape)
    squares = sum((axis - c) ** 2 for axis, c in zip(grid, centre, strict=True))
    return np.exp(-squares / radius**2)


def centroid(weights: np.ndarray) -> np.ndarray:
    return np.array(ndimage.center_of_mass(weights))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("augmentation", [SPATIAL, BENT], ids=["affine", "bent"])
@pytest.mark.parametrize(
    ("shape", "centre"), [((48, 64), (19, 40)), ((32, 40, 48), (13, 17, 28))], ids=["2D", "3D"]
)
@given(key=KEYS)
@settings(max_examples=15, deadline=None)
def test_fiducial_in_image_and_mask_stays_aligned(shape, centre, augmentation, dtype, key):
    bright = blob(shape, centre, 4.0)
    image = np.stack([bright * 200, bright * 100], -1).astype(dtype)
    moved, mask = augment(image, (bright > 0.4).astype(np.uint8), augmentation, key)
    assert moved.dtype == dtype
    assert mask.any()
    for channel in range(2):
        where = np.where(moved[..., channel] > 0.4 * moved[..., channel].max(), 1.0, 0.0)
        assert np.abs(centroid(where) - centroid(mask)).max() < 0.75


@pytest.mark.parametrize("shape", [(32, 32), (16, 24, 20)])
@given(key=KEYS, high=st.sampled_from([1, 4, 255]))
@settings(max_examples=25, deadline=None)
def test_mask_values_are_a_subset_and_types_are_kept(shape, key, high):
    rng = np.random.default_rng(0)
    labels = rng.choice(np.array([0, 1, 2, high]), size=shape)
    image = rng.normal(size=(*shape, 1)).astype(np.float32)
    for dtype in (np.uint8, np.int32):
        moved, mask = augment(image, labels.astype(dtype), EVERYTHING, key)
        assert set(np.unique(mask)) <= {0, 1, 2, high}
        assert (moved.dtype, mask.dtype) == (np.float32, dtype)
        assert (moved.shape, mask.shape) == (image.shape, labels.shape)
        assert np.isfinite(moved).all()


def test_all_off_is_the_identity():
    image, mask = np.ones((8, 8, 3), np.uint8), np.ones((8, 8), np.uint8)
    same_image, same_mask = augment(image, mask, Augmentation(), (0, 0, 0))
    assert same_image is image
    assert same_mask is mask


@pytest.mark.parametrize(("name", "axis"), [("flip_depth", 0), ("flip_vertical", 1), ("flip", 2)])
def test_flips_are_exact(name, axis):
    rng = np.random.default_rng(1)
    image, mask = rng.normal(size=(5, 6, 7, 2)), rng.integers(0, 4, (5, 6, 7))
    moved, moved_mask = augment(image, mask, Augmentation(**{name: 1.0}), (0, 0, 0))
    np.testing.assert_array_equal(moved, np.flip(image, axis))
    np.testing.assert_array_equal(moved_mask, np.flip(mask, axis))


@pytest.mark.parametrize("shape", [(20, 30), (8, 20, 30)])
def test_flip_within_a_warp_equals_flip_after_it(shape):
    rng = np.random.default_rng(2)
    image, mask = rng.normal(size=(*shape, 1)).astype(np.float32), np.zeros(shape, np.uint8)
    plain = Augmentation(rotation=30, zoom=0.2, shift=0.1)
    flipped, _ = augment(image, mask, dataclasses.replace(plain, flip=1.0), (1, 2, 3))
    unflipped, _ = augment(image, mask, plain, (1, 2, 3))
    np.testing.assert_allclose(flipped, np.flip(unflipped, len(shape) - 1), atol=2e-3)


@pytest.mark.parametrize("shape", [(24, 30), (12, 24, 30)])
@pytest.mark.parametrize("tilt", [0, 20])
def test_warp_agrees_with_scipy(shape, tilt):
    """The same affine map through scipy.ndimage, which shares no code with OpenCV."""

    smooth = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=shape), 2)
    image = smooth.astype(np.float32)[..., None]
    augmentation = Augmentation(rotation=30, tilt=tilt, shift=0.1, shear=0.1, zoom=0.2)
    motion = one_sample.moved(augmentation, (4, 5, 6), shape)
    assert motion is not None
    expected = ndimage.affine_transform(
        smooth, motion.affine[:, :-1], motion.affine[:, -1], order=1, mode="grid-constant"
    )
    inside = (slice(2, -2),) * len(shape)
    moved = warp.image(image, motion)[..., 0]
    np.testing.assert_allclose(moved[inside], expected[inside], atol=0.02 * np.ptp(smooth))


def test_rotation_turns_by_the_degrees_it_says():
    image = blob((65, 65), (32, 52), 3.0)[..., None].astype(np.float32)
    key = (7, 0, 0)
    angle = 90 * (2 * one_sample.drawn(key)["rotation"] - 1)
    moved, _ = augment(image, np.zeros((65, 65), np.uint8), Augmentation(rotation=90), key)
    row, column = centroid(moved[..., 0]) - 32
    assert abs(np.hypot(row, column) - 20) < 0.1
    assert abs(abs(np.degrees(np.arctan2(row, column))) - abs(angle)) < 0.5


def test_what_enters_from_outside_is_background():
    image, mask = np.full((32, 32, 1), 200, np.uint8), np.ones((32, 32), np.uint8)
    key = next(k for k in ((0, 0, n) for n in range(99)) if one_sample.drawn(k)["shift_x"] > 0.9)
    moved, moved_mask = augment(image, mask, Augmentation(shift=0.5), key)
    assert (moved[:, :10] == 0).all()
    assert (moved_mask[:, :10] == 0).all()


def test_a_sample_depends_on_its_key_alone():
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (24, 24, 3), np.uint8)
    mask = (rng.random((24, 24)) > 0.5).astype(np.uint8)
    keys = [(s, e, n) for s in range(2) for e in range(3) for n in range(4)]
    alone = {key: augment(image, mask, EVERYTHING, key) for key in keys}
    with ThreadPoolExecutor(4) as pool:
        threaded = dict(
            zip(
                keys[::-1],
                pool.map(lambda key: augment(image, mask, EVERYTHING, key), keys[::-1]),
                strict=True,
            )
        )
    for key in keys:
        np.testing.assert_array_equal(alone[key][0], threaded[key][0])
        np.testing.assert_array_equal(alone[key][1], threaded[key][1])
    assert len({moved.tobytes() for moved, _ in alone.values()}) == len(keys)


@pytest.mark.parametrize("shape", [(24, 24), (6, 24, 24)])
@pytest.mark.parametrize(
    "augmentation",
    [
        SPATIAL,
        dataclasses.replace(BENT, affine_probability=0.5, elastic_probability=0.5),
        Augmentation(rotation=25, shear=9, zoom=0.2, shift=0.1, flip=0.5, as_keras=True),
        Augmentation(flip=0.5),
    ],
)
def test_samples_of_a_batch_move_as_each_alone(augmentation, shape):
    """To the last bit: a batch of another size is the same training."""
    keys = [(3, 1, n) for n in range(12)]
    together = moves(augmentation, draw(keys), shape)
    for key, motion in zip(keys, together, strict=True):
        alone = one_sample.moved(augmentation, key, shape)
        assert (motion is None) == (alone is None)
        if motion is not None:
            np.testing.assert_equal(dataclasses.astuple(motion), dataclasses.astuple(alone))
    assert len({str(motion) for motion in together}) > 1


@pytest.mark.parametrize("slab", [1, 3 * 20 * 24 * 6, 1 << 30])
def test_a_volume_in_slabs_is_the_volume(slab, monkeypatch):
    monkeypatch.setattr("data_pipeline.augmenting.augment.SLAB", slab)
    record = np.random.default_rng(1).integers(-99, 99, (7, 20, 24, 3), np.int16)
    flips = Augmentation(flip=0.5, flip_vertical=0.5, flip_depth=0.5)
    for augmentation in (None, flips, dataclasses.replace(flips, gamma=0.3)):
        keys = [(0, 0, n) for n in range(6)]
        found = np.empty((6, *record.shape), np.float32)
        for n, place, voxels, labels in augment_slabs([record] * 6, augmentation, keys):
            found[n, place] = np.concatenate([voxels[0], labels[0][..., None]], axis=-1)
        for one, key in zip(found, keys, strict=True):
            whole, mask = augment_record(record, augmentation, key)
            np.testing.assert_array_equal(one[..., :-1], whole)
            np.testing.assert_array_equal(one[..., -1], mask)


def test_random_numbers_are_uniform_and_pinned():
    """Pinned, because a change of the stream changes every trained result."""
    first = one_sample.drawn((1, 2, 3))
    assert [first[name] for name in ("flip", "zoom", "bias_seed")] == pytest.approx(PINNED)
    values = np.array([list(one_sample.drawn((0, 0, n)).values()) for n in range(4000)])
    assert abs(values.mean(0) - 0.5).max() < 0.03
    assert abs(values.std(0) - 12**-0.5).max() < 0.02
    assert abs(np.corrcoef(values.T) - np.eye(values.shape[1])).max() < 0.08


@pytest.mark.parametrize("values", [(0, 1), (0, 1, 2, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
@pytest.mark.parametrize(
    ("shape", "channels"),
    [((40, 40), 3), ((40, 40), 1), ((40, 40), 4), ((16, 40, 40), 2), ((16, 40, 40), 5)],
)
def test_a_record_moves_as_its_parts_do(shape, channels, dtype, values):
    rng = np.random.default_rng(6)
    blur = (3,) * len(shape) + (0,)
    image = ndimage.gaussian_filter(rng.random((*shape, channels)) * 255, blur).astype(dtype)
    mask = rng.choice(values, (5, 5)).repeat(8, 0).repeat(8, 1).astype(dtype)
    mask = np.ascontiguousarray(np.broadcast_to(mask, shape))
    record = np.concatenate([image, mask[..., None]], -1)
    for n in range(6):
        moved, moved_mask = augment_record(record, SPATIAL, (0, 0, n))
        expected, expected_mask = augment(image, mask, SPATIAL, (0, 0, n))
        assert moved.dtype == (np.uint8 if dtype == np.uint8 else np.float32)
        assert (moved.shape, moved_mask.shape) == (image.shape, shape)
        assert set(np.unique(moved_mask)) <= set(values)
        # OpenCV places int16 voxels to 1/32 of a voxel, which shows where the frame ends.
        difference = np.abs(moved.astype(float) - expected)
        assert difference.mean() < 0.5
        assert difference.max() < 255 / 32
        assert (moved_mask != expected_mask).mean() < 0.03


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("shape", [(5, 6), (4, 5, 6)])
def test_a_record_flips_to_the_last_bit(shape, dtype, channels):
    record = np.random.default_rng(8).integers(0, 200, (*shape, channels + 1)).astype(dtype)
    mirrored = Augmentation(flip=1, flip_vertical=1, flip_depth=1)
    moved, mask = augment_record(record, mirrored, (0, 0, 0))
    expected = np.flip(record, tuple(range(len(shape))))
    np.testing.assert_array_equal(moved, expected[..., :-1])
    np.testing.assert_array_equal(mask, expected[..., -1])


def test_volumes_too_tall_for_opencv_are_bent_the_same_way(monkeypatch):
    image = ndimage.gaussian_filter(np.random.default_rng(9).random((12, 20, 24, 2)), 2)
    mask = (image[..., 0] > 0.5).astype(np.uint8)
    usual, usual_mask = augment(image.astype(np.float32), mask, BENT, (0, 0, 3))
    monkeypatch.setattr(warp, "OPENCV_SIDE", 100)
    tall, tall_mask = augment(image.astype(np.float32), mask, BENT, (0, 0, 3))
    inside = (slice(2, -2),) * 3
    np.testing.assert_allclose(tall[inside], usual[inside], atol=0.05 * image.max())
    assert (tall_mask != usual_mask).mean() < 0.03


def test_intensity_leaves_background_mask_and_place_alone():
    image = blob((32, 32), (16, 16), 6.0)[..., None].astype(np.float32)
    image[image < 0.05] = 0
    mask = (image[..., 0] > 0.5).astype(np.uint8)
    shading = Augmentation(gamma=0.5, contrast=0.5, noise=0.1, bias_field=0.5)
    moved, same = augment(image, mask, shading, (0, 0, 1))
    assert same is mask
    assert (moved[image == 0] == 0).all()
    assert np.abs(moved - image).max() > 0.05


def test_gamma_follows_its_formula():
    image = np.linspace(0.1, 1, 50, dtype=np.float32).reshape(5, 10, 1)
    key = (3, 1, 4)
    exponent = np.exp((2 * one_sample.drawn(key)["gamma_value"] - 1) * 0.7)
    moved, _ = augment(image, np.zeros((5, 10), np.uint8), Augmentation(gamma=0.7), key)
    unit = (image - 0.1) / 0.9
    np.testing.assert_allclose(moved, unit**exponent * 0.9 + 0.1, atol=1e-5)


@pytest.mark.parametrize(
    "bad", [{"flip": 1.5}, {"rotation": -1}, {"zoom": 1.0}, {"gamma_probability": 2}]
)
def test_impossible_settings_are_refused(bad):
    with pytest.raises(UserError, match=next(iter(bad))):
        Augmentation(**bad)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_channels_are_missing_as_often_as_said_and_never_all(dtype):
    image = np.random.default_rng(0).integers(1, 200, (4, 5, 4)).astype(dtype)
    label = np.arange(20, dtype=np.uint8).reshape(4, 5) % 3
    record = np.concatenate([image, label[..., None].astype(dtype)], axis=-1)
    before = record.copy()
    half, gone = Augmentation(channel_dropout=0.5), []
    for sample in range(600):
        found, mask = augment_record(record, half, (0, 0, sample))
        again, _ = augment(image, label, half, (0, 0, sample))
        np.testing.assert_array_equal(found, again)
        np.testing.assert_array_equal(mask, label)
        missing = (found == 0).all(axis=(0, 1))
        np.testing.assert_array_equal(found[..., ~missing], image[..., ~missing])
        gone.append(missing)
    np.testing.assert_array_equal(record, before)
    assert not np.all(gone, axis=1).any()
    # Of four channels (1/2) ** 4 of samples lose all, and get back one of them.
    assert np.mean(gone, axis=0) == pytest.approx(np.full(4, 0.5 - 1 / 64), abs=0.07)


def test_a_channel_that_may_be_missing_changes_nothing_else():
    image = np.random.default_rng(0).normal(size=(32, 32, 3)).astype(np.float32)
    mask = (image[..., 0] > 1).astype(np.uint8)
    without = dataclasses.replace(EVERYTHING, tilt=0)
    with_it = dataclasses.replace(without, channel_dropout=0.4)
    for sample in range(5):
        plain, found = (augment(image, mask, a, (0, 1, sample)) for a in (without, with_it))
        kept = (found[0] != 0).any(axis=(0, 1))
        np.testing.assert_array_equal(found[0][..., kept], plain[0][..., kept])
        np.testing.assert_array_equal(found[1], plain[1])
