"""Surface distances against published vectors, and against a brute force that shares no code."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.spatial.distance import cdist

from benchmarks.scoring import surface


def square(shape, start, stop):
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(low, high) for low, high in zip(start, stop, strict=True))] = True
    return mask


def brute_force(reference, prediction, spacing):
    """Both lists of directed distances, from every pair of surface voxels."""

    def points(mask):
        cross = ndimage.generate_binary_structure(mask.ndim, 1)
        eroded = ndimage.binary_erosion(mask, cross, border_value=0)
        return np.argwhere(mask & ~eroded) * np.asarray(spacing)

    pairs = cdist(points(reference), points(prediction))
    return pairs.min(axis=1), pairs.min(axis=0)


def masks(shape):
    return hnp.arrays(bool, shape).filter(np.any)


SHAPES = st.one_of(
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    hnp.array_shapes(min_dims=3, max_dims=3, max_side=7),
)
PAIRS = SHAPES.flatmap(lambda shape: st.tuples(masks(shape), masks(shape)))
SPACINGS = st.tuples(*[st.sampled_from([0.5, 0.9375, 1.0, 3.0])] * 3)


def test_square_shifted_by_two_rows():
    reference = square((64, 64), (20, 20), (30, 30))
    found = surface.distances(reference, np.roll(reference, 2, axis=0), (1, 1))
    assert found.percentile(95) == found.percentile(100) == 2
    assert found.assd == 1


def test_square_shifted_by_two_rows_of_two_millimetres():
    reference = square((64, 64), (20, 20), (30, 30))
    found = surface.distances(reference, np.roll(reference, 2, axis=0), (2, 1))
    assert found.percentile(100) == 4
    assert found.assd == pytest.approx(1.7778, abs=5e-5)


def test_cube_shifted_by_two():
    reference = square((32, 32, 32), (10, 10, 10), (20, 20, 20))
    found = surface.distances(reference, np.roll(reference, 2, axis=0), (1, 1, 1))
    assert found.percentile(95) == 2
    assert found.assd == pytest.approx(0.6885, abs=5e-5)


def test_cube_in_a_cube():
    outer = square((32, 32, 32), (10, 10, 10), (18, 18, 18))
    inner = square((32, 32, 32), (12, 12, 12), (16, 16, 16))
    found = surface.distances(outer, inner, (1, 1, 1))
    assert found.percentile(100) == pytest.approx(3.4641, abs=5e-5)
    assert found.percentile(95) == 3


def test_one_false_pixel_far_away_moves_hd_and_not_hd95():
    reference = square((64, 64), (20, 20), (40, 40))
    prediction = reference.copy()
    prediction[60, 60] = True
    found = surface.distances(reference, prediction, (1, 1))
    assert found.percentile(100) == pytest.approx(29.698, abs=5e-4)
    assert found.percentile(95) == 0


def test_hd95_is_the_larger_directed_percentile_not_the_pooled_one():
    reference = square((10, 10), (0, 0), (5, 5))  # it touches the border: background beyond it
    prediction = reference.copy()
    prediction[9, 9] = True
    found = surface.distances(reference, prediction, (1, 1))
    both = np.concatenate([found.from_reference, found.from_prediction])
    assert found.percentile(100) == pytest.approx(7.0711, abs=5e-5)
    assert found.percentile(95) == pytest.approx(1.4142, abs=5e-5)
    assert np.percentile(both, 95) == 0  # what medpy reports


@pytest.mark.parametrize(("tolerance", "expected"), [(1, 20 / 36), (1.99, 20 / 36), (2, 1.0)])
def test_nsd_of_the_shifted_square_by_hand(tolerance, expected):
    # Of 36 surface pixels 2 x 8 lie on the columns that both share, 4 are one row outside.
    reference = square((64, 64), (20, 20), (30, 30))
    found = surface.distances(reference, np.roll(reference, 2, axis=0), (1, 1))
    assert found.nsd(tolerance) == pytest.approx(expected)


def test_nsd_counts_a_distance_equal_to_the_tolerance_whatever_the_rounding():
    reference = square((1, 50), (0, 0), (1, 1))
    for steps in range(1, 50):
        prediction = np.roll(reference, steps, axis=1)
        found = surface.distances(reference, prediction, (1, 0.1))
        assert found.nsd(round(steps * 0.1, 1)) == 1
        assert found.nsd(steps * 0.1 - 0.01) == 0


def test_a_slice_of_one_voxel_is_all_surface():
    plane = square((1, 8, 8), (0, 2, 2), (1, 6, 6))
    assert np.array_equal(surface.surface(plane), plane)


def test_the_crop_keeps_every_foreground_voxel_and_no_margin():
    reference = square((9, 10, 11), (1, 2, 3), (4, 5, 6))
    prediction = square((9, 10, 11), (3, 1, 4), (8, 4, 7))
    crops = surface.crop_to_union(reference, prediction)
    assert [crop.shape for crop in crops] == [(7, 4, 4)] * 2
    assert [int(crop.sum()) for crop in crops] == [27, 45]


@given(PAIRS, SPACINGS)
@settings(max_examples=150, deadline=None)
def test_equals_brute_force(pair, spacing):
    reference, prediction = pair
    spacing = spacing[: reference.ndim]
    there, back = brute_force(reference, prediction, spacing)
    found = surface.distances(reference, prediction, spacing)
    np.testing.assert_allclose(found.from_reference, there, atol=1e-9)
    np.testing.assert_allclose(found.from_prediction, back, atol=1e-9)
    assert found.percentile(95) == pytest.approx(
        max(np.percentile(there, 95), np.percentile(back, 95)), abs=1e-9
    )
    assert found.assd == pytest.approx(np.concatenate([there, back]).mean(), abs=1e-9)


@given(PAIRS, SPACINGS)
@settings(max_examples=50, deadline=None)
def test_symmetric_and_blind_to_flips_and_transposes(pair, spacing):
    reference, prediction = pair
    spacing = spacing[: reference.ndim]

    def told(first, second, sizes):
        found = surface.distances(first, second, sizes)
        return [found.percentile(95), found.percentile(100), found.assd, found.nsd(1), found.nsd(2)]

    expected = pytest.approx(told(reference, prediction, spacing), abs=1e-9)
    assert told(prediction, reference, spacing) == expected
    assert told(np.flip(reference), np.flip(prediction), spacing) == expected
    assert told(reference.T, prediction.T, spacing[::-1]) == expected


def blob(shape, centre, radius):
    axes = np.ogrid[tuple(slice(length) for length in shape)]
    return sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True)) < radius**2


@pytest.mark.parametrize(
    ("reference", "prediction"),
    [
        (blob((60, 60, 60), (30, 30, 30), 20), blob((60, 60, 60), (33, 30, 29), 21)),
        (blob((90, 40, 40), (15, 20, 20), 12), blob((90, 40, 40), (75, 20, 20), 12)),
        (blob((60, 60, 60), (30, 30, 30), 28), blob((60, 60, 60), (30, 30, 30), 8)),
        (blob((60, 60, 60), (30, 30, 30), 20), np.random.default_rng(0).random((60,) * 3) < 0.3),
    ],
    ids=["near", "apart", "nested", "noise"],
)
def test_both_ways_of_measuring_give_the_distance_transform(reference, prediction):
    """Sparse surfaces go through the k-d tree and dense ones through the transform: same values."""
    spacing = (3.0, 0.9375, 0.9375)
    found = surface.distances(reference, prediction, spacing)
    for start, target, told in (
        (reference, prediction, found.from_reference),
        (prediction, reference, found.from_prediction),
    ):
        edges = [mask & ~ndimage.binary_erosion(mask) for mask in (start, target)]
        expected = ndimage.distance_transform_edt(~edges[1], sampling=spacing)[edges[0]]
        np.testing.assert_allclose(told, expected, atol=1e-9)
