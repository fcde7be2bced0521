"""Each rule of the BraTS lesion-wise metric by a case of its own."""

import numpy as np
import pytest
from scipy import ndimage

from benchmarks.scoring import lesions, metrics

SHAPE = (40, 40, 60)


def cubes(*boxes, shape=SHAPE):
    """A mask of cubes, each `(z, y, x, side)`."""
    mask = np.zeros(shape, dtype=bool)
    for z, y, x, side in boxes:
        mask[z : z + side, y : y + side, x : x + side] = True
    return mask


def test_published_vector_one_perfect_one_missed_one_made_up():
    reference = cubes((5, 5, 5, 4), (5, 5, 40, 4))
    prediction = cubes((5, 5, 5, 4), (30, 30, 30, 3))
    scores = metrics.score(reference, prediction)
    assert scores["lesion_dice"] == pytest.approx(1 / 3)
    assert scores["lesion_hd95"] == pytest.approx(249.333, abs=5e-4)


def test_under_the_exclude_policy_the_penalty_is_the_diagonal():
    reference = cubes((5, 5, 5, 4), (5, 5, 40, 4))
    prediction = cubes((5, 5, 5, 4), (30, 30, 30, 3))
    diagonal = np.sqrt(40**2 + 40**2 + 60**2)
    scores = metrics.score(reference, prediction, policy="exclude")
    assert scores["lesion_hd95"] == pytest.approx(2 * diagonal / 3)


@pytest.mark.parametrize(("side", "scored"), [(3, 0), (4, 1)])
def test_lesions_of_at_most_50_voxels_are_not_scored(side, scored):
    found = lesions.measure(cubes((5, 5, 5, side)), cubes(), (1, 1, 1))
    assert len(found["lesions"]) == scored


def test_the_limit_of_50_voxels_is_inclusive():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[5:10, 5:10, 5:7] = True
    assert lesions.measure(mask, cubes(), (1, 1, 1))["lesions"] == []
    mask[10, 5, 5] = True
    (lesion,) = lesions.measure(mask, cubes(), (1, 1, 1))["lesions"]
    assert lesion == {"voxels": 51, "dice": 0.0, "hd95": None}


def test_what_belongs_to_a_small_lesion_is_forgiven():
    small = cubes((5, 5, 5, 3))
    assert lesions.measure(small, small, (1, 1, 1)) == {"lesions": [], "lesion_false_positives": 0}
    assert metrics.score(small, small)["lesion_dice"] == 1
    assert metrics.score(small, small)["lesion_hd95"] == 0
    assert metrics.score(small, small, policy="exclude")["lesion_dice"] is None


def test_a_false_positive_counts_however_small():
    reference = cubes((5, 5, 5, 6))
    prediction = reference | cubes((30, 30, 50, 1))
    found = lesions.measure(reference, prediction, (1, 1, 1))
    assert found["lesion_false_positives"] == 1
    assert metrics.score(reference, prediction)["lesion_dice"] == 0.5
    assert metrics.score(reference, prediction)["lesion_hd95"] == 187


def test_false_positives_alone_score_zero():
    scores = metrics.score(cubes(), cubes((5, 5, 5, 2), (30, 30, 30, 2)))
    assert (scores["lesion_dice"], scores["lesion_hd95"]) == (0, 374)


@pytest.mark.parametrize(("gap", "number"), [(6, 1), (7, 2)])
def test_reference_lesions_whose_dilations_touch_are_one(gap, number):
    # Three steps from either side meet face to face over a gap of 6 voxels.
    reference = cubes((5, 5, 5, 4), (5, 5, 9 + gap, 4))
    assert len(lesions.measure(reference, reference, (1, 1, 1))["lesions"]) == number


def test_dilation_does_not_enter_the_scores():
    reference = cubes((5, 5, 5, 4))
    (lesion,) = lesions.measure(reference, reference, (1, 1, 1))["lesions"]
    assert lesion == {"voxels": 64, "dice": 1.0, "hd95": 0.0}


@pytest.mark.parametrize(("gap", "belongs"), [(2, True), (3, False)])
def test_a_prediction_within_the_dilation_belongs_to_the_lesion(gap, belongs):
    reference = cubes((5, 5, 5, 4))
    prediction = cubes((5, 5, 9 + gap, 4))
    found = lesions.measure(reference, prediction, (1, 1, 1))
    assert found["lesions"][0]["dice"] == 0
    assert (found["lesions"][0]["hd95"] is not None) == belongs
    assert found["lesion_false_positives"] == (not belongs)


@pytest.mark.parametrize(("offset", "belongs"), [(2, True), (3, False)])
def test_the_dilation_takes_edges_and_not_corners(offset, belongs):
    # Three steps to the 18 nearest reach (3, 3, 0) and (2, 2, 2) from a corner, not (3, 3, 3).
    reference = cubes((5, 5, 5, 4))
    found = lesions.measure(reference, cubes((8 + offset,) * 3 + (1,)), (1, 1, 1))
    assert found["lesion_false_positives"] == (not belongs)
    found = lesions.measure(reference, cubes((11, 11, 8, 1)), (1, 1, 1))
    assert found["lesion_false_positives"] == 0


def test_components_of_the_prediction_connect_over_corners():
    reference = cubes((5, 5, 5, 4))
    stairs = cubes(*[(step, step, step, 1) for step in range(8, 20)])
    found = lesions.measure(reference, stairs, (1, 1, 1))
    assert found["lesion_false_positives"] == 0
    assert found["lesions"][0]["dice"] == pytest.approx(2 * 1 / (64 + 12))


@pytest.mark.parametrize(("start", "number"), [(13, 1), (14, 2)])
def test_dilated_lesions_connect_over_corners(start, number):
    # Dilated, the corners at 8 and `start` reach 10 and `start - 2` on the diagonal.
    reference = cubes((5, 5, 5, 4), (start, start, start, 4))
    assert len(lesions.measure(reference, reference, (1, 1, 1))["lesions"]) == number


def test_a_component_belongs_whole_to_each_lesion_that_it_meets():
    reference = cubes((5, 5, 5, 5), (5, 5, 30, 5))
    bridge = np.zeros(SHAPE, dtype=bool)
    bridge[5:10, 5:10, 5:35] = True
    found = lesions.measure(reference, bridge, (1, 1, 1))
    expected = pytest.approx(2 * 125 / (125 + 750))
    assert [lesion["dice"] for lesion in found["lesions"]] == [expected] * 2
    assert found["lesion_false_positives"] == 0


def test_several_components_of_one_lesion_are_taken_together():
    reference = cubes((5, 5, 5, 8))
    prediction = cubes((5, 5, 5, 2), (11, 11, 11, 2))
    found = lesions.measure(reference, prediction, (1, 1, 1))
    assert found["lesions"][0]["dice"] == pytest.approx(2 * 16 / (512 + 16))
    assert found["lesion_false_positives"] == 0


def test_distances_are_in_millimetres():
    reference = cubes((5, 5, 5, 5))
    prediction = np.roll(reference, 2, axis=0)
    assert lesions.measure(reference, prediction, (3, 1, 1))["lesions"][0]["hd95"] == 6


def test_without_surfaces_there_is_no_lesion_wise_distance():
    scores = metrics.score(cubes((5, 5, 5, 5)), cubes((5, 5, 5, 5)), surfaces=False)
    assert scores["lesion_dice"] == 1
    assert "lesion_hd95" not in scores


def challenge_rule(reference, prediction):
    """The rule read literally, a lesion at a time over the whole volume, with its own loops."""
    near = ndimage.generate_binary_structure(3, 2)
    corners = np.ones((3, 3, 3))
    predicted, number = ndimage.label(prediction, corners)
    groups, _ = ndimage.label(ndimage.binary_dilation(reference, near, iterations=3), corners)
    dices, matched = [], set()
    for group in range(1, groups.max() + 1):
        lesion = reference & (groups == group)
        reach = ndimage.binary_dilation(lesion, near, iterations=3)
        owned = set(predicted[reach].tolist()) - {0}
        matched |= owned
        found = np.isin(predicted, list(owned))
        if lesion.sum() > 50:
            dices.append(2 * (lesion & found).sum() / (lesion.sum() + found.sum()))
    return dices, number - len(matched)


@pytest.mark.parametrize("seed", range(6))
def test_equals_the_rule_read_literally_on_random_lesions(seed):
    random = np.random.default_rng(seed)
    draw = random.integers((0, 0, 0, 1), (34, 34, 54, 7), size=(2, 9, 4))
    moved = np.add(draw[0][:4], [1, 0, 1, 0])
    reference, prediction = cubes(*draw[0]), cubes(*draw[1], *moved)
    dices, false_positives = challenge_rule(reference, prediction)
    found = lesions.measure(reference, prediction, (1, 1, 1))
    assert [lesion["dice"] for lesion in found["lesions"]] == pytest.approx(dices)
    assert found["lesion_false_positives"] == false_positives
