"""Means by patient, by slice and pooled, and who was left out of them."""

import json

import numpy as np
import pytest

from benchmarks.scoring import aggregate, metrics
from benchmarks.scoring.aggregate import Mean


def mask(pixels, shape=(2, 40, 40)):
    flat = np.zeros(shape, dtype=bool).ravel()
    flat[:pixels] = True
    return flat.reshape(shape)


def patient(name, **regions):
    return {
        "patient": name,
        "regions": {region: metrics.measure(*masks) for region, masks in regions.items()},
    }


EMPTY = mask(0)
FOUND = patient("found", tumour=(mask(900), mask(900)))
MISSED = patient("missed", tumour=(mask(9), EMPTY))
HEALTHY = patient("healthy", tumour=(EMPTY, EMPTY))


def rows(*patients):
    return [one["regions"]["tumour"] for one in patients]


def test_per_case_mean_and_pooled_ratio_of_the_published_pair():
    assert aggregate.over_patients(rows(FOUND, MISSED), "brats")["dice"] == Mean(0.5, 2, 2)
    pooled = aggregate.pooled(rows(FOUND, MISSED), "brats")["dice"]
    assert pooled.mean == pytest.approx(0.99502, abs=5e-6)
    assert (pooled.n_used, pooled.n_total) == (2, 2)


@pytest.mark.parametrize(
    ("policy", "dice", "hd95"),
    [
        ("brats", Mean(2 / 3, 3, 3), Mean(374 / 3, 3, 3)),
        ("exclude", Mean(1 / 2, 2, 3), Mean(np.hypot(np.hypot(40, 40), 2) / 2, 2, 3)),
    ],
)
def test_a_case_leaves_a_mean_only_under_exclude_and_is_counted(policy, dice, hd95):
    means = aggregate.over_patients(rows(FOUND, MISSED, HEALTHY), policy)
    for name, expected in (("dice", dice), ("hd95", hd95)):
        assert means[name].mean == pytest.approx(expected.mean)
        assert (means[name].n_used, means[name].n_total) == (expected.n_used, expected.n_total)


def test_a_mean_of_nothing_is_none_and_not_zero():
    assert aggregate.over_patients(rows(HEALTHY), "exclude")["dice"] == Mean(None, 0, 1)
    assert aggregate.pooled(rows(HEALTHY), "exclude")["dice"] == Mean(None, 0, 1)
    assert aggregate.over_slices(rows(HEALTHY), "exclude")["dice"] == Mean(None, 0, 2)
    assert aggregate.pooled([], "brats") == aggregate.over_patients([], "brats") == {}


def test_slices_are_cases_of_their_own():
    # 1,700 of 2 x 1,600 voxels: the first slice is full, the second holds the other hundred.
    row = metrics.measure(mask(1700), mask(1650))
    means = aggregate.over_slices([row], "brats")
    assert means["dice"].mean == pytest.approx((1 + 100 / 150) / 2)
    assert means["accuracy"].mean == pytest.approx((1 + 1550 / 1600) / 2)
    assert means["specificity"] == Mean(1.0, 1, 2)  # a slice without background has none
    assert "hd95" not in means


def test_empty_slices_follow_the_policy():
    row = metrics.measure(mask(100), mask(50))
    assert aggregate.over_slices([row], "brats")["dice"].mean == pytest.approx((2 / 3 + 1) / 2)
    excluded = aggregate.over_slices([row], "exclude")["dice"]
    assert excluded.mean == pytest.approx(2 / 3)
    assert (excluded.n_used, excluded.n_total) == (1, 2)


def test_an_image_is_its_own_slice():
    row = metrics.measure(mask(100)[0], mask(50)[0])
    by_patient, by_slice = (
        average([row], "brats") for average in (aggregate.over_patients, aggregate.over_slices)
    )
    assert all(by_patient[name] == mean for name, mean in by_slice.items())


def test_summary_has_every_level_and_the_mean_of_regions():
    patients = [
        patient("a", WT=(mask(900), mask(900)), ET=(mask(10), EMPTY)),
        patient("b", WT=(mask(900), mask(900)), ET=(EMPTY, EMPTY)),
    ]
    summary = aggregate.summary(patients, "exclude")
    assert list(summary) == ["WT", "ET", "mean"]
    assert all(list(levels) == ["patient", "slice", "pooled"] for levels in summary.values())
    assert summary["WT"]["patient"]["dice"] == {"mean": 1.0, "n_used": 2, "n_total": 2}
    assert summary["ET"]["patient"]["dice"] == {"mean": 0.0, "n_used": 1, "n_total": 2}
    assert summary["mean"]["patient"]["dice"] == {"mean": 0.5, "n_used": 3, "n_total": 4}
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_one_region_needs_no_mean_of_regions():
    assert list(aggregate.summary([FOUND, MISSED], "brats")) == ["tumour"]


def test_per_patient_names_whom_the_policy_leaves_out():
    told = aggregate.per_patient([FOUND, MISSED, HEALTHY], "tumour", "exclude")
    assert {name: values["dice"] for name, values in told.items()} == {
        "found": 1.0,
        "missed": 0.0,
        "healthy": None,
    }
