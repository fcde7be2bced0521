"""Folds of a cross-validation against tests that scipy has, and against simulated truth."""

from dataclasses import replace
from itertools import combinations

import fabricate
import numpy as np
import pytest
from scipy import stats

from benchmarks.comparison.compare import compare
from benchmarks.comparison.judging import differences, fold_effects
from benchmarks.comparison.judging.contrasts import contrast
from benchmarks.comparison.judging.fold_effects import Folds

FIVE = np.repeat(np.arange(5), 12)


def cohort(generator, models=8, effect=0.0, steps=0.0) -> np.ndarray:
    """Return scores of 60 patients in five folds: a fold's effect is its own for each model.

    Trainings of two folds have patients in common, so a fifth of its variance is all folds' own.
    """
    shared, own = generator.normal(size=models), generator.normal(size=(5, models))
    of_fold = effect * (np.sqrt(0.2) * shared + np.sqrt(0.8) * own)
    noise = generator.normal(0, 0.1, (60, models))
    return of_fold[FIVE] + noise + steps * np.arange(models)


def sides(models: int) -> np.ndarray:
    return np.array([*combinations(range(models), 2)]).T


def pairs(scores: np.ndarray) -> np.ndarray:
    first, second = sides(scores.shape[1])
    return scores[:, first] - scores[:, second]


def test_without_shared_patients_it_is_a_t_test_of_the_folds_means():
    gaps = cohort(np.random.default_rng(1), models=2, effect=0.3)
    gap = pairs(gaps)
    found = fold_effects.errors_of_pairs(gap, Folds(FIVE, ratio=0.0))
    means = gap[:, 0].reshape(5, 12).mean(axis=1)
    assert found.p(gap.mean(axis=0))[0] == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    assert found.freedom[0] == pytest.approx(4)


def test_shared_patients_add_to_the_error_what_nadeau_and_bengio_add():
    """Where folds are all that differs, the corrected resampled t-test is what is left."""
    means = np.array([0.02, 0.05, 0.11, -0.01, 0.07])
    gap = np.repeat(means, 12)[:, None]
    found = fold_effects.errors_of_pairs(gap, Folds(FIVE, ratio=0.25))
    corrected = np.sqrt(means.var(ddof=1) * (1 / 5 + 0.25))
    assert found.size[0] == pytest.approx(corrected)
    p = 2 * stats.t.sf(means.mean() / corrected, 4)
    assert found.p(gap.mean(axis=0))[0] == pytest.approx(p)


def test_folds_that_differ_less_than_patients_do_leave_a_t_test_within_folds():
    values = np.tile(np.linspace(-0.2, 0.3, 12), 5)  # the mean of each fold is the same
    found = fold_effects.errors_of_pairs(values[:, None], Folds(FIVE, ratio=0.25))
    within = values.reshape(5, 12).var(axis=1, ddof=1).mean()
    assert found.size[0] == pytest.approx(np.sqrt(within / 60))
    assert found.freedom[0] == pytest.approx(55)


@pytest.mark.parametrize("effect", [0.0, 0.02, 0.04])
def test_equal_models_are_told_apart_no_oftener_than_asked(effect):
    generator = np.random.default_rng(3)
    rejected, signed = [], []
    for _ in range(80):
        scores = cohort(generator, effect=effect)
        gaps = pairs(scores)
        found = fold_effects.errors(scores, *sides(8), Folds(FIVE, ratio=0.25))
        rejected.append(found.p(gaps.mean(axis=0)) < 0.05)
        signed.append([stats.wilcoxon(gap).pvalue < 0.05 for gap in gaps.T])
    assert np.mean(rejected) < 0.075
    if effect == 0.04:
        assert np.mean(signed) > 0.2, "which is why signed ranks alone do not decide"


def test_a_model_that_fails_on_some_folds_is_judged_by_them_and_leaves_the_others_alone():
    generator = np.random.default_rng(9)
    calm, failing, apart = [], [], []
    for _ in range(80):
        scores = cohort(generator, effect=0.02)
        scores[:, 7] += generator.normal(0, 0.3, 5)[FIVE]
        scores[:, 0] += 0.2
        gaps, (first, second) = pairs(scores), sides(8)
        p = fold_effects.errors(scores, first, second, Folds(FIVE, 0.25)).p(gaps.mean(axis=0))
        calm.append(p[(first > 0) & (second < 7)] < 0.05)
        failing.append(p[(first > 0) & (second == 7)] < 0.05)
        apart.append(p[(first == 0) & (second < 7)] < 0.01)
    assert np.mean(calm) < 0.05
    assert np.mean(failing) < 0.1
    assert np.mean(apart) > 0.8


def test_what_a_model_adds_is_told_from_the_pairs_that_it_stands_in():
    """Half of all pairs' mean squares are a model's own: solved as a least-squares problem."""
    scores = cohort(np.random.default_rng(10), models=6, effect=0.1)
    first, second = sides(6)
    of_pairs = []
    for gap in pairs(scores).T:
        means = gap.reshape(5, 12).mean(axis=1)
        of_pairs.append(12 * means.var(ddof=1))
    design = np.zeros((15, 6))
    design[np.arange(15), first] = design[np.arange(15), second] = 1
    expected = np.linalg.lstsq(design, np.array(of_pairs), rcond=None)[0]
    found, ways = fold_effects._of_models(scores, Folds(FIVE, 0.25))
    above = expected > np.median(expected) * 4 / stats.chi2.median(4)
    np.testing.assert_allclose(found[above], expected[above])
    np.testing.assert_allclose(found[~above], np.median(expected) * 4 / stats.chi2.median(4))
    assert set(ways[above]) == {4}
    assert (ways[~above] > 4).all()


def test_the_detectable_difference_is_found_in_four_of_five_samples():
    generator = np.random.default_rng(4)
    found = []
    for _ in range(400):
        gaps = generator.normal(0, 0.1, (40, 1))
        errors = differences.errors(gaps)
        truth = differences.Errors(np.array([0.1 / np.sqrt(40)]), errors.freedom)
        found.append(errors.p(gaps.mean(axis=0) + truth.detectable(0.01))[0] < 0.01)
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)


def test_a_pair_is_told_apart_by_the_largest_p_of_all():
    scores = cohort(np.random.default_rng(5), models=2, effect=0.2, steps=-0.2)
    alone = contrast(scores, ["a", "b"], "a")["a", "b"]
    folds = contrast(scores, ["a", "b"], "a", folds=Folds(FIVE, 0.25))["a", "b"]
    assert np.isnan(alone.p_folds)
    assert alone.p_holm == alone.p == folds.p
    assert folds.p_holm == folds.p_folds > alone.p
    assert folds.detectable > alone.detectable


def test_undefined_patients_are_left_out_of_their_pair_alone():
    scores = cohort(np.random.default_rng(6), models=3)
    scores[:50, 2] = np.nan
    scores[50:59, 2] = np.nan
    gaps = pairs(scores)
    found = fold_effects.errors(scores, *sides(3), Folds(FIVE, 0.25))
    assert np.isfinite(found.size).all()
    assert np.isfinite(found.p(np.nanmean(gaps, axis=0))).all()


def test_a_comparison_over_folds_takes_them_into_account(tmp_path):
    generator = np.random.default_rng(7)
    made = []
    for model, lead in (("unet", 0.0), ("sa_unet", 0.08)):
        for fold in range(4):
            names = [f"p{fold}{place}" for place in range(8)]
            dice = np.clip(0.6 + lead + generator.normal(0, 0.1, 8), 0, 1)
            one = fabricate.a_record(model, dice, fold=fold, names=names)
            made.append(replace(one, data=one.data | {"n_train": 24}))
    fabricate.archive(made, tmp_path)
    found = compare(tmp_path)
    assert not found.left_out
    (table,) = found.tables
    pair = table.against("sa_unet", "unet")
    assert 0 < pair.p_folds <= pair.p_holm
    assert pair.detectable > 0


def test_a_seed_counts_where_it_has_every_fold_of_a_table(tmp_path):
    """Two folds for all, a second seed of one fold: it would count twice for that fold alone."""

    def one(model, seed, fold, dice):
        names = [f"p{fold}{place}" for place in range(4)]
        return fabricate.a_record(model, [dice] * 4, seed=seed, fold=fold, names=names)

    made = [one(model, 0, fold, 0.8) for model in ("unet", "sa_unet") for fold in (0, 1)]
    made += [one("unet", 1, 0, 0.2), one("ar2_unet", 0, 0, 0.6)]
    fabricate.archive(made, tmp_path)
    both, first = compare(tmp_path).tables  # 2 models x 2 folds before 3 models x 1 fold
    assert set(both.models) == {"unet", "sa_unet"}
    assert both.standings["unet"].seeds == (0,)
    assert both.dice("unet") == pytest.approx([0.8] * 8, abs=1e-3)
    assert set(first.models) == {"unet", "sa_unet", "ar2_unet"}
    assert first.standings["unet"].seeds == (0, 1)
    assert first.dice("unet") == pytest.approx([0.5] * 4, abs=1e-3)
