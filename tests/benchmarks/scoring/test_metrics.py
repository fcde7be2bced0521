"""Counts, ratios and policies against hand formulas, published vectors, MONAI and medpy."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmarks.errors import UserError
from benchmarks.scoring import metrics, policies

FULL, EMPTY = np.ones((6, 8), dtype=bool), np.zeros((6, 8), dtype=bool)
RATIOS = ("dice", "iou", "precision", "sensitivity", "volume_similarity")


def square(shape, start, stop):
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(low, high) for low, high in zip(start, stop, strict=True))] = True
    return mask


def test_square_shifted_by_two_rows():
    reference = square((64, 64), (20, 20), (30, 30))
    scores = metrics.score(reference, np.roll(reference, 2, axis=0))
    assert scores["dice"] == pytest.approx(0.8)
    assert scores["iou"] == pytest.approx(0.6667, abs=5e-5)
    assert scores["precision"] == scores["sensitivity"] == pytest.approx(0.8)
    assert scores["volume_similarity"] == 1
    assert scores["hd95"] == scores["hd"] == 2
    assert scores["assd"] == 1
    assert scores["accuracy"] == pytest.approx(1 - 40 / 4096)
    assert scores["specificity"] == pytest.approx(1 - 20 / 3996)
    assert [scores[name] for name in ("tp", "fp", "fn", "tn")] == [80, 20, 20, 3976]


def test_square_shifted_by_two_rows_of_two_millimetres():
    reference = square((64, 64), (20, 20), (30, 30))
    scores = metrics.score(reference, np.roll(reference, 2, axis=0), spacing=(2, 1))
    assert scores["hd"] == 4
    assert scores["assd"] == pytest.approx(1.7778, abs=5e-5)
    assert scores["voxel_volume_mm3"] == 2


def test_cubes():
    cube = square((32, 32, 32), (10, 10, 10), (20, 20, 20))
    shifted = metrics.score(cube, np.roll(cube, 2, axis=1))
    assert (shifted["dice"], shifted["hd95"]) == (pytest.approx(0.8), 2)
    outer = square((32, 32, 32), (10, 10, 10), (18, 18, 18))
    inner = square((32, 32, 32), (12, 12, 12), (16, 16, 16))
    nested = metrics.score(outer, inner)
    assert nested["dice"] == pytest.approx(0.2222, abs=5e-5)
    assert nested["volume_similarity"] == pytest.approx(1 - 448 / 576)


def test_one_false_pixel_far_away():
    reference = square((64, 64), (20, 20), (40, 40))
    prediction = reference.copy()
    prediction[60, 60] = True
    scores = metrics.score(reference, prediction)
    assert scores["dice"] == pytest.approx(0.99875, abs=5e-6)
    assert scores["hd95"] == 0


@pytest.mark.parametrize("policy", ["brats", "exclude"])
@pytest.mark.parametrize(("shape", "spacing"), [((6, 8), (2, 1)), ((3, 6, 8), (3, 2, 1))])
class TestEmptyMasks:
    def score(self, shape, spacing, policy, reference, prediction):
        masks = [np.full(shape, value) for value in (reference, prediction)]
        return metrics.score(*masks, spacing, policy=policy)

    def test_both_empty(self, shape, spacing, policy):
        scores = self.score(shape, spacing, policy, False, False)
        counts = policy == "brats"
        assert scores["status"] == "both_empty"
        assert all(scores[name] == (1 if counts else None) for name in RATIOS)
        assert scores["nsd_1mm"] == scores["nsd_2mm"] == (1 if counts else None)
        assert scores["hd95"] == scores["hd"] == scores["assd"] == (0 if counts else None)
        assert scores["specificity"] == scores["accuracy"] == 1
        if len(shape) == 3:
            assert scores["lesion_dice"] == (1 if counts else None)
            assert scores["lesion_hd95"] == (0 if counts else None)

    @pytest.mark.parametrize(("reference", "status"), [(True, "pred_empty"), (False, "ref_empty")])
    def test_one_empty(self, shape, spacing, policy, reference, status):
        scores = self.score(shape, spacing, policy, reference, not reference)
        diagonal = math.sqrt(sum((n * s) ** 2 for n, s in zip(shape, spacing, strict=True)))
        penalty = 374 if policy == "brats" else pytest.approx(diagonal)
        assert scores["status"] == status
        assert all(scores[name] == 0 for name in (*RATIOS, "nsd_1mm", "nsd_2mm"))
        assert scores["hd95"] == scores["hd"] == scores["assd"] == penalty
        if len(shape) == 3:
            assert (scores["lesion_dice"], scores["lesion_hd95"]) == (0, penalty)

    def test_neither_empty(self, shape, spacing, policy):
        scores = self.score(shape, spacing, policy, True, True)
        assert scores["status"] == "ok"
        assert all(scores[name] == 1 for name in (*RATIOS, "nsd_1mm", "nsd_2mm", "accuracy"))
        assert scores["hd95"] == scores["assd"] == 0
        assert scores["specificity"] is None  # without background it has no meaning


def test_a_brats_volume_has_the_penalty_as_its_diagonal():
    row = metrics.measure(*[np.zeros((155, 240, 240), dtype=bool)] * 2, surfaces=False)
    assert math.ceil(row["diagonal_mm"]) == 374


def test_accuracy_comes_last_of_the_metrics():
    assert policies.METRICS[-1] == "accuracy"
    names = list(policies.values(metrics.measure(FULL, EMPTY), "brats"))
    assert names[-1] == "accuracy"


def test_a_row_survives_json_and_takes_any_policy_later():
    reference = np.zeros((4, 30, 30), dtype=bool)
    reference[1:3, 4:20, 4:20] = True
    for prediction in (reference, np.roll(reference, 3, axis=1), reference & False):
        row = metrics.measure(reference, prediction, (3, 1, 1))
        stored = json.loads(json.dumps(row, allow_nan=False))
        assert stored == row
        for policy in policies.POLICIES:
            scores = metrics.score(reference, prediction, (3, 1, 1), policy=policy)
            told = policies.values(stored, policy)
            assert told == {name: scores[name] for name in told}


def test_rows_keep_the_counts_of_each_slice():
    reference, prediction = np.zeros((2, 3, 4, 5), dtype=bool)
    reference[1, :2, :2] = True
    prediction[1:, 1:, 1] = True
    row = metrics.measure(reference, prediction)
    assert row["slices"] == [[0, 0, 0], [1, 2, 3], [0, 3, 0]]
    assert [row["tp"], row["fp"], row["fn"]] == np.sum(row["slices"], axis=0).tolist()


def test_without_surfaces_no_distance_is_measured():
    row = metrics.measure(FULL, FULL, surfaces=False)
    assert not {*policies.DISTANCES, *policies.SURFACE_SHARES} & {*row}
    assert not {*policies.DISTANCES, *policies.SURFACE_SHARES} & {*policies.values(row, "brats")}


def test_counts_of_two_patients_add_up():
    first, second = metrics.count(FULL, EMPTY), metrics.count(EMPTY, EMPTY)
    assert first + second == metrics.Counts(tp=0, fp=0, fn=48, tn=48)
    assert (first + second).status == "pred_empty"


def test_masks_of_zero_and_one_are_masks_whatever_their_type():
    expected = metrics.score(FULL, FULL & (np.arange(8) < 3))
    for kind in (np.uint8, np.int64, np.float32):
        assert (
            metrics.score(FULL.astype(kind), (FULL & (np.arange(8) < 3)).astype(kind)) == expected
        )


@pytest.mark.parametrize(
    ("reference", "prediction", "spacing", "words"),
    [
        (FULL, FULL[:, :4], (1, 1), "shape"),
        (FULL, FULL * 0.7, (1, 1), "threshold"),
        (FULL, FULL * np.nan, (1, 1), "threshold"),
        (FULL * 3, FULL, (1, 1), "region"),
        (FULL[0], FULL[0], (1,), "2D or 3D"),
        (FULL[:0], FULL[:0], (1, 1), "2D or 3D"),
        (FULL, FULL, (1, 2, 3), "2 positive voxel sizes"),
        (FULL, FULL, (1, 0), "2 positive voxel sizes"),
        (FULL, FULL, (1, math.nan), "2 positive voxel sizes"),
        (FULL, FULL, (-1, -1), "2 positive voxel sizes"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_words(reference, prediction, spacing, words):
    with pytest.raises(UserError, match=words):
        metrics.score(reference, prediction, spacing)


def test_an_unknown_policy_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"'brats' or 'exclude'.*'mean'"):
        metrics.score(FULL, FULL, policy="mean")


PAIRS = st.one_of(
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
    hnp.array_shapes(min_dims=3, max_dims=3, max_side=6),
).flatmap(lambda shape: st.tuples(hnp.arrays(bool, shape), hnp.arrays(bool, shape)))
POLICIES = st.sampled_from(sorted(policies.POLICIES))


@given(PAIRS, POLICIES)
@settings(max_examples=150, deadline=None)
def test_range_and_the_identity_of_dice_and_iou(pair, policy):
    scores = metrics.score(*pair, policy=policy)
    for name in policies.METRICS:
        value = scores.get(name)
        if value is not None:
            assert 0 <= value <= (math.inf if name in policies.LOWER_IS_BETTER else 1)
    if scores["dice"] is not None:
        assert scores["dice"] == pytest.approx(2 * scores["iou"] / (1 + scores["iou"]))


@given(PAIRS, POLICIES)
@settings(max_examples=100, deadline=None)
def test_symmetry(pair, policy):
    """Exchanging the masks exchanges precision and sensitivity, and leaves the rest."""
    there = metrics.score(*pair, policy=policy)
    back = metrics.score(*pair[::-1], policy=policy)
    for name in ("dice", "iou", "volume_similarity", "accuracy", "hd95", "nsd_1mm", "assd"):
        assert there[name] == pytest.approx(back[name])
    assert (there["precision"], there["sensitivity"]) == (back["sensitivity"], back["precision"])


@given(PAIRS, POLICIES)
@settings(max_examples=100, deadline=None)
def test_flips_and_transposes_change_nothing(pair, policy):
    reference, prediction = pair
    spacing = (3.0, 1.0, 0.5)[: reference.ndim]
    expected = metrics.score(reference, prediction, spacing, policy=policy)
    flipped = metrics.score(np.flip(reference), np.flip(prediction), spacing, policy=policy)
    turned = metrics.score(reference.T, prediction.T, spacing[::-1], policy=policy)
    for name, value in expected.items():
        assert flipped[name] == (value if isinstance(value, str) else pytest.approx(value))
        assert turned[name] == (value if isinstance(value, str) else pytest.approx(value))


def rough_pair(shape, seed):
    """Two smooth random masks that resemble each other."""
    from scipy import ndimage

    random = np.random.default_rng(seed)
    field, noise = (ndimage.gaussian_filter(random.standard_normal(shape), 3) for _ in range(2))
    return field > 0.02, field + 0.3 * noise > 0.02


@pytest.mark.slow
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.9375, 0.9375)])
@pytest.mark.parametrize("seed", range(3))
def test_equals_monai(seed, spacing):
    """MONAI defines the surface metrics, Dice and IoU as this project does."""
    torch = pytest.importorskip("torch")
    monai = pytest.importorskip("monai.metrics")
    masks = rough_pair((20, 48, 48), seed)
    reference, prediction = (torch.from_numpy(mask)[None, None].float() for mask in masks)
    scores = metrics.score(*masks, spacing)
    for percentile, name in ((95, "hd95"), (None, "hd")):
        theirs = monai.compute_hausdorff_distance(
            prediction, reference, include_background=True, percentile=percentile, spacing=spacing
        )
        assert scores[name] == pytest.approx(theirs.item(), rel=1e-5)
    theirs = monai.compute_average_surface_distance(
        prediction, reference, include_background=True, symmetric=True, spacing=spacing
    )
    assert scores["assd"] == pytest.approx(theirs.item(), rel=1e-5)
    for tolerance, name in ((1.0, "nsd_1mm"), (2.0, "nsd_2mm")):
        theirs = monai.compute_surface_dice(
            prediction, reference, [tolerance], include_background=True, spacing=spacing
        )
        assert scores[name] == pytest.approx(theirs.item(), rel=1e-6)
    assert scores["dice"] == pytest.approx(monai.compute_dice(prediction, reference).item())
    assert scores["iou"] == pytest.approx(monai.compute_iou(prediction, reference).item())


@pytest.mark.slow
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.9375, 0.9375)])
@pytest.mark.parametrize("seed", range(3))
def test_equals_medpy(seed, spacing):
    """medpy defines HD, ASSD and the ratios as this project does; its HD95 pools the directions."""
    binary = pytest.importorskip("medpy.metric.binary")
    reference, prediction = rough_pair((20, 48, 48), seed)
    scores = metrics.score(reference, prediction, spacing)
    assert scores["hd"] == pytest.approx(binary.hd(prediction, reference, spacing))
    assert scores["assd"] == pytest.approx(binary.assd(prediction, reference, spacing))
    ratios = {"dice": "dc", "iou": "jc", "precision": "precision", "sensitivity": "recall"}
    for name, theirs in (*ratios.items(), ("specificity", "specificity")):
        assert scores[name] == pytest.approx(getattr(binary, theirs)(prediction, reference))
