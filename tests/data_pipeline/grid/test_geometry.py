"""The model's grid and the way back, against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.grid import geometry, voxels
from data_pipeline.grid.geometry import Geometry
from data_pipeline.scans import predicted_scan
from data_pipeline.storing import encoding

sides = st.integers(3, 40)


@settings(deadline=None, max_examples=40)
@given(st.tuples(st.integers(1, 3), sides, sides), st.tuples(sides, sides))
def test_slices_come_back_in_their_own_shape(native, size):
    plan = geometry.of_slices(native, size)
    image = np.ones((*native, 1), np.float32)
    assert plan.to_model(image).shape == (native[0], *size, 1)
    back = plan.to_native(np.ones((native[0], *size, 2), np.float32), np.zeros(2))
    assert back.shape == (*native, 2)
    np.testing.assert_allclose(back, 1, rtol=1e-5)  # every native pixel lies in the padded box


def test_a_square_keeps_its_aspect_in_an_oblong():
    plan = geometry.of_slices((1, 20, 40), (10, 10))
    image = np.zeros((1, 20, 40, 1), np.float32)
    image[0, 6:14, 16:24] = 1
    seen = plan.to_model(image)[0, ..., 0] > 0.5
    assert seen.any(axis=1).sum() == seen.any(axis=0).sum() == 2


def test_halving_takes_means_and_majorities():
    plan = geometry.of_slices((1, 4, 4), (2, 2))
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    expected = image.reshape(2, 2, 2, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(plan.to_model(image)[0, ..., 0], expected)
    labels = np.array([[3, 3, 0, 0], [3, 1, 0, 2], [0, 0, 1, 1], [0, 0, 1, 1]], np.uint8)
    assert plan.labels_to_model(labels[None])[0].tolist() == [[3, 0], [0, 1]]


def test_a_linear_ramp_survives_the_way_there_and_back():
    plan = geometry.of_slices((1, 32, 32), (16, 16))
    ramp = np.broadcast_to(np.arange(32, dtype=np.float32), (32, 32))[None, ..., None]
    back = plan.to_native(plan.to_model(np.ascontiguousarray(ramp)), np.zeros(1))
    np.testing.assert_allclose(back[:, :, 2:-2], ramp[:, :, 2:-2], atol=1e-4)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(sides, sides, sides),
    st.lists(st.integers(0, 39), min_size=3, max_size=3),
    st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12)),
)
def test_volumes_are_cut_to_the_brain_and_restored_exactly(native, spot, size):
    image = np.zeros((*native, 2), np.float32)
    place = tuple(s % n for s, n in zip(spot, native, strict=True))
    image[place] = 7, 8
    plan = geometry.of_volume(image, size)
    cut = plan.to_model(image)
    assert all(side >= least for side, least in zip(cut.shape[:3], size, strict=True))
    np.testing.assert_array_equal(plan.to_native(cut, np.zeros(2)), image)


ratios = st.floats(0.2, 5)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(sides, sides, sides),
    st.tuples(sides, sides, sides),
    st.tuples(ratios, ratios, ratios),
)
def test_voxels_of_another_size_keep_their_place(native, size, ratio):
    occupied = np.zeros(native, bool)
    occupied[tuple(slice(n // 4, n // 2 + 1) for n in native)] = True
    plan = geometry.of_brain(occupied, size, ratio)
    for side, (start, stop), times, least in zip(plan.shape, plan.box, ratio, size, strict=True):
        assert side >= least
        assert side == least or abs(side - (stop - start) * times) <= 0.5
    image = np.ones((*native, 1), np.float32)
    assert plan.to_model(image).shape == (*plan.shape, 1)
    back = plan.to_native(np.ones((*plan.shape, 2), np.float32), np.zeros(2))
    np.testing.assert_allclose(back[occupied], 1, rtol=1e-5)


def test_smaller_voxels_become_means_and_majorities_along_every_side():
    plan = geometry.of_brain(np.ones((4, 6, 2), bool), (1, 1, 1), (0.5, 0.5, 0.5))
    image = np.random.default_rng(0).random((4, 6, 2, 1)).astype(np.float32)
    expected = image.reshape(2, 2, 3, 2, 1, 2, 1).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(plan.to_model(image), expected, rtol=1e-6)
    labels = np.zeros((4, 6, 2), np.uint8)
    labels[:2, :2] = 3  # eight voxels of eight
    labels[2:, 4:] = [[[1, 1], [1, 1]], [[1, 2], [2, 2]]]  # five of eight
    found = plan.labels_to_model(labels)[..., 0]
    assert found.tolist() == [[3, 0, 0], [0, 0, 1]]


def test_thick_slices_become_a_linear_ramp_between_their_middles():
    plan = geometry.of_brain(np.ones((4, 2, 2), bool), (1, 1, 1), (5, 1, 1))
    image = np.arange(4, dtype=np.float32)[:, None, None, None] + np.zeros((4, 2, 2, 1), np.float32)
    middles = (np.arange(20) + 0.5) / 5 - 0.5
    expected = np.clip(middles, 0, 3)
    np.testing.assert_allclose(plan.to_model(image)[:, 1, 1, 0], expected, atol=1e-6)


def test_sides_that_grow_and_shrink_at_once_are_each_resized_in_their_own_way():
    plan = geometry.of_brain(np.ones((2, 4, 2), bool), (1, 1, 1), (1, 0.5, 2))
    image = np.arange(16, dtype=np.float32).reshape(2, 4, 2, 1)
    halved = image.reshape(2, 2, 2, 2).mean(axis=2)
    first, last = halved[..., 0], halved[..., 1]
    expected = np.stack([first, 0.75 * first + 0.25 * last, 0.25 * first + 0.75 * last, last], -1)
    np.testing.assert_allclose(plan.to_model(image)[..., 0], expected, rtol=1e-6)


def test_voxels_that_are_nearly_as_wanted_are_left_alone():
    assert voxels.ratio((1.05, 0.95, 1.0), (1, 1, 1)) == voxels.AS_IT_IS
    assert voxels.ratio((3.0, 1.0, 1.0), None) == voxels.AS_IT_IS
    assert voxels.ratio((3.0, 1.0, 0.5), (1, 1, 1)) == (3, 1, 0.5)


def test_what_no_model_saw_is_background():
    plan = Geometry((2, 2, 2), ((0, 1), (0, 2), (0, 2)), (1, 2, 2))
    back = plan.to_native(np.full((1, 2, 2, 3), 0.25, np.float32), np.array([1.0, 0, 0]))
    assert back[1, 0, 0].tolist() == [1, 0, 0]
    assert back[0, 0, 0].tolist() == [0.25] * 3


@pytest.mark.parametrize("top", [3.0, 20.0])
def test_encoding_errs_by_half_a_step_and_keeps_zero(top):
    image = np.random.default_rng(0).uniform(-top, top, (2, 8, 8, 3)).astype(np.float32)
    image[0, 0] = 0
    label = np.random.default_rng(1).integers(0, 4, (2, 8, 8), np.uint8)
    records, scales = encoding.encode(image, label)
    decoded = np.empty_like(image)
    encoding.decode(encoding.parted(records)[0], scales, decoded)
    assert records.dtype == np.int16
    assert np.abs(decoded - image).max() <= top / 32767 * 0.51
    assert not decoded[0, 0].any()
    np.testing.assert_array_equal(records[..., -1], label)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(6, 5), (2, 6, 5)])
def test_decoding_parts_the_label_and_multiplies_each_channel(shape, channels, dtype):
    random = np.random.default_rng(0)
    records = random.integers(-99 if dtype != np.uint8 else 0, 99, (*shape, channels + 1))
    records = records.astype(dtype)
    scales = tuple(random.uniform(0.1, 2, channels))
    image = np.empty((*shape, channels), np.float32)
    voxels, labels = encoding.parted(records)
    encoding.decode(voxels, scales, image)
    expected = records[..., :-1].astype(np.float32) * np.float32(scales)
    np.testing.assert_array_equal(image, expected)
    np.testing.assert_array_equal(labels, records[..., -1])


@pytest.mark.parametrize("top", [0, 1e-44, 1e-38, 1e30])
def test_encoding_stays_finite_at_the_rims_of_float32(top):
    image = np.linspace(-top, top, 64).astype(np.float32).reshape(1, 8, 8, 1)
    records, scales = encoding.encode(image, np.zeros((1, 8, 8), np.uint8))
    decoded = np.empty_like(image)
    encoding.decode(encoding.parted(records)[0], scales, decoded)
    np.testing.assert_allclose(decoded, image, rtol=1e-3, atol=max(top * 2e-5, 1e-30))


def test_bytes_are_kept_exactly():
    image = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    records, scales = encoding.encode(image, np.zeros((1, 16, 16), np.uint8))
    decoded = np.empty(image.shape, np.float32)
    encoding.decode(encoding.parted(records)[0], scales, decoded)
    assert records.dtype == np.uint8
    np.testing.assert_allclose(decoded, image / 255, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_voxels_read_in_parts_are_those_read_whole(dtype):
    image = (np.random.default_rng(5).normal(3, 40, (6, 9, 8, 4))).astype(dtype)
    records, scales = encoding.encode(image, np.zeros((6, 9, 8), np.uint8))
    whole = np.empty(image.shape, np.float32)
    encoding.decode(encoding.parted(records)[0], scales, whole)
    one_by_one = (image[..., c] for c in range(4))
    channels, scales = zip(*map(encoding.rounded, one_by_one), strict=True)
    voxels = predicted_scan.Voxels(channels, scales, lambda images: None)
    np.testing.assert_array_equal(np.asarray(voxels), whole)
    assert (voxels.shape, len(voxels), voxels.dtype) == (whole.shape, 6, np.float32)
    for part in ((slice(1, 4), slice(2, 9), slice(0, 8)), slice(2, 5)):
        np.testing.assert_array_equal(voxels[part], whole[part])
