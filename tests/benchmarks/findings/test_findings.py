"""Findings: ways to score against hand-made numbers, each question from fabricated records."""

from dataclasses import replace
from types import SimpleNamespace

import fabricate
import numpy as np
import pytest
from scipy import stats

import data_pipeline
from benchmarks import findings
from benchmarks.__main__ import main
from benchmarks.commands import finding
from benchmarks.comparison.judging import intervals
from benchmarks.errors import UserError, ZooError
from benchmarks.findings import (
    cases,
    counting,
    coverage,
    dimensions,
    leakage,
    recipes,
    recurrence,
    sensitivity,
    sequences,
    width,
)
from benchmarks.findings.evidence import (
    batches,
    class_ways,
    needed_runs,
    networks,
    populations,
    published_ways,
)
from benchmarks.predicting import own_patients
from benchmarks.predicting.trained_network import Trained
from benchmarks.protocols import protocol
from benchmarks.records import record
from benchmarks.running import launch
from benchmarks.running.job import Job
from benchmarks.running.launch import Outcome
from benchmarks.running.slot import terms
from benchmarks.training.cut import Cut
from data_pipeline import DataSpec

# Slices of 1,000 pixels: a perfect 900, a missed 9 (conventions.md's two cases), and an empty one.
PERFECT, MISSED, EMPTY = [900, 0, 0, 100], [0, 0, 9, 991], [0, 0, 0, 1000]
TWO = {"a": [np.array([PERFECT, EMPTY], float)], "b": [np.array([MISSED, EMPTY], float)]}


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("patients", 0.5),
        ("pooled voxels", 0.99502),
        ("slices with\nany mask", 0.5),
        ("slices with\na tumour", 0.5),
        ("slices,\nempty = 1", 0.75),
        ("slices,\nsmooth = 100", (1 + 1 + 100 / 109 + 1) / 4),
        ("patients, with\nbackground", (1 + 1 + 0 + 2 * 1991 / (2 * 1991 + 9)) / 4),
    ],
)
def test_a_way_gives_the_number_of_the_hand(way, expected):
    assert published_ways.value(published_ways.columns(TWO, way)) == pytest.approx(
        expected, abs=1e-5
    )


def test_what_was_empty_and_drawn_on_tells_the_ways_apart():
    empty = {"a": [np.array([EMPTY], float)], "b": [np.array([[0, 5, 0, 995]], float)]}
    assert published_ways.value(published_ways.columns(empty, "patients")) == 0.5
    assert published_ways.value(published_ways.columns(empty, "patients,\nempty left out")) == 0.0
    assert np.isnan(published_ways.value(published_ways.columns(empty, "slices with\na tumour")))


def test_slices_of_a_batch_are_scored_as_one_picture():
    """By hand: a perfect 900 and a missed 9 in one batch, as code does that flattens it."""
    both = np.array([PERFECT, MISSED] + [EMPTY] * 30, float)
    assert batches.dice(both) == pytest.approx((1800 + 100) / (1809 + 100))
    assert batches.dice(both, smooth=0.0) == pytest.approx(0.99502, abs=1e-5)
    # A 33rd slice is a batch by itself and counts as much as the 32 before.
    alone = np.concatenate([both, [MISSED]])
    assert batches.dice(alone) == pytest.approx((1900 / 1909 + 100 / 109) / 2)


def test_batches_of_shuffled_slices_scatter_and_are_repeatable():
    many = {f"p{n}": [np.array([PERFECT, MISSED] * 20, float)] for n in range(3)}
    mean, scatter = batches.shuffled(many)
    assert (mean, scatter) == batches.shuffled(many)
    assert 0 < scatter < 0.02
    assert mean == pytest.approx(0.99, abs=0.005)  # .98 of the pixels are those of the large ones
    few = {"p": [np.array([PERFECT, MISSED], float)]}  # one batch, whatever the order
    assert batches.shuffled(few) == pytest.approx((1900 / 1909, 0.0), abs=1e-12)
    twice = {"p": few["p"] * 2}  # two seeds
    assert batches.shuffled(twice)[0] == pytest.approx(1900 / 1909)


def test_the_interval_of_a_mean_is_that_of_every_other_table():
    scores = np.random.default_rng(1).random(13) ** 2
    told = intervals.intervals(scores[:, None])
    found = published_ways.interval(np.column_stack([scores, np.ones(13)]))
    assert (found.lower[0], found.upper[0]) == (told.lower[0], told.upper[0])


HISTORY = [{"epoch": 1, "loss": 0.5, "val_loss": 0.75, "val_dice": 0.6, "seconds": 60.0}]
FREE = ("sensitivity", "coverage", "budget", "width")  # any models do
ASKED = ("sequences", "counting", "cases")  # whose networks are asked, of four sequences


@pytest.fixture
def results(tmp_path):
    """Return a function that puts finished records where a run would."""

    def put(model, name, dice, seed=0, form=None, names=None, history=HISTORY, **data):
        job = Job(model=model, protocol=name, seed=seed, results=str(tmp_path), **(form or {}))
        chosen = protocol.find(name, model)
        made = fabricate.a_record(model, dice, seed=seed, fold=job.fold, names=names)
        record.write(
            replace(
                made,
                run=terms(job, chosen),
                protocol_digest=chosen.digest,
                data=made.data | data,
                training={"epochs": 8, "seconds": 120.0},
                history=history,
            ),
            tmp_path,
        )
        return tmp_path

    return put


def collect(folder, question, models):
    pattern = Job(model="", results=str(folder))
    return needed_runs.collect(pattern, models, question.conditions("lgg2d_lite"), (0,))


def test_the_leakage_tax_is_the_difference_of_both_splits(results):
    results("unet", "lgg2d_lite", (0.8, 0.6, 0.7, 0.5))
    folder = results("unet", "lgg2d_lite_leaky", (0.9, 0.9, 0.8, 0.9), names="stuv")
    row = leakage.rows(collect(folder, leakage, "unet"))[0]
    assert row["mean over"] == "patients"
    assert (row["by patient"], row["by slice"]) == pytest.approx((0.65, 0.875), abs=1e-3)
    assert row["tax"] == pytest.approx(0.225, abs=1e-3)
    assert row["tax lower"] < 0 < row["tax"] < row["tax upper"]
    assert row["patients compared"] == 0
    assert row["verdict"] == "cannot be told apart"


def test_where_both_splits_tested_all_patients_each_is_compared_with_himself(results):
    sound = np.linspace(0.3, 0.8, 16)
    leaky = sound + np.array([0.05, 0.08, 0.06, 0.07] * 4)
    results("unet", "lgg2d_lite", sound)
    folder = results("unet", "lgg2d_lite_leaky", leaky)
    results("sa_unet", "lgg2d_lite", sound)
    results("sa_unet", "lgg2d_lite_leaky", sound + np.array([0.05, -0.05] * 8))
    rows = leakage.rows(collect(folder, leakage, "unet,sa_unet"))
    (gained, same) = (row for row in rows if row["mean over"] == "patients")
    assert gained["tax"] == pytest.approx(0.065, abs=2e-3)
    assert 0 < gained["tax lower"] < gained["tax upper"] < 0.1
    assert 2 * 0.5**16 <= gained["p"] < 0.001  # all signs alike
    assert gained["p holm"] == pytest.approx(2 * gained["p"])
    assert gained["verdict"].startswith("higher")
    assert same["verdict"] == "cannot be told apart"
    others = [row for row in rows if row["mean over"] != "patients"]
    assert all(np.isnan(row["p"]) and row["patients compared"] == 16 for row in others)


def test_slices_of_a_patient_that_several_folds_tested_stand_together():
    """By slice a fold tests some slices of everyone; by seed they are scored as the patient."""
    runs = [
        SimpleNamespace(
            run={"seed": seed},
            patients=[
                {
                    "patient": "p",
                    "regions": {"all": dict(zip(("tp", "fp", "fn", "tn"), counts, strict=True))},
                }
            ],
        )
        for seed in (0, 1)
        for counts in (PERFECT, MISSED)
    ]
    found = needed_runs.patients(runs)
    assert [one.tolist() for one in found["p"]] == [[PERFECT, MISSED]] * 2
    ratios = published_ways.columns(found, "patients")
    assert published_ways.value(ratios) == pytest.approx(1800 / 1809)


def test_a_protocol_without_a_leaky_twin_is_named_with_those_that_have_one():
    with pytest.raises(UserError, match=r"lgg2d_lite\. Received: 'quick'.*quick_leaky\.py"):
        leakage.conditions("quick")


def test_recipes_are_compared_patient_by_patient(results):
    common = np.linspace(0.5, 0.9, 8)
    author = common - np.array([0.1, 0.02, 0.05, 0.03, 0.06, 0.01, 0.04, 0.07])
    results("sa_unet", "lgg2d_lite", common)
    folder = results("sa_unet", "author_lgg2d_lite", author)
    (row,) = recipes.rows(collect(folder, recipes, "sa_unet"))
    assert row["difference"] == pytest.approx((author - common).mean(), abs=1e-3)
    assert row["p"] == pytest.approx(stats.wilcoxon(author - common).pvalue)
    assert row["difference lower"] < row["difference"] < row["difference upper"]
    assert (row["patients"], row["author epochs"], row["author minutes"]) == (8, 8, 2)


def test_folds_are_pooled_and_tested_as_folds(results):
    """Fold by fold the author's recipe gains or loses all: five trainings, not forty patients."""
    generator = np.random.default_rng(0)
    for fold, gain in enumerate((-0.2, -0.2, -0.2, 0.04, 0.04)):
        common = generator.uniform(0.5, 0.7, 8)
        names = [f"p{fold}{place}" for place in range(8)]
        put = {"names": names, "n_train": 32, "form": {"fold": fold}}
        results("sa_unet", "lgg2d_lite", common, **put)
        scattered = common + gain + generator.normal(0, 0.02, 8)
        folder = results("sa_unet", "author_lgg2d_lite", scattered, **put)
    pattern, asked = Job("", results=str(folder)), recipes.conditions("lgg2d_lite")
    (one,) = recipes.rows(needed_runs.collect(pattern, "sa_unet", asked))
    assert (one["patients"], one["folds"]) == (8, 1)
    (row,) = recipes.rows(needed_runs.collect(pattern, "sa_unet", asked, folds=range(5)))
    assert (row["patients"], row["folds"]) == (40, 5)
    assert row["difference"] == pytest.approx(-0.104, abs=0.01)
    signed_ranks = 1e-4
    assert row["p"] > 100 * signed_ranks
    assert row["verdict"] == "cannot be told apart"


def test_each_form_of_a_recurrence_stands_beside_the_published_one(results):
    published = np.linspace(0.5, 0.9, 8)
    gains = dict(zip(recurrence.FORMS, (0.0, 0.01, 0.05, 0.06, -0.02), strict=True))
    for form, gain in gains.items():
        for seed in (0, 1):
            put = published + gain + seed / 50
            folder = results("ar2_unet", "lgg2d_lite", put, seed, recurrence.FORMS[form])
    conditions = recurrence.conditions("lgg2d_lite")
    runs = needed_runs.collect(Job("", results=str(folder)), "ar2_unet", conditions, (0, 1))
    rows = recurrence.rows(runs)
    assert [row["form"] for row in rows] == list(gains)[1:]
    for row in rows:
        assert row["difference"] == pytest.approx(gains[row["form"]], abs=1e-3)
        assert row["published"] == pytest.approx(published.mean() + 0.01, abs=1e-3)
        assert (row["patients"], row["seeds"]) == (8, 2)
        assert (row["other loss"], row["published val loss"]) == (0.5, 0.75)


def test_an_order_is_followed_through_other_widths(results):
    """At half the width the second and third swap: of three pairs two are kept, of theirs one."""
    quarter = {"unet": 0.8, "mod_r2au": 0.7, "sa_unet": 0.6}
    half = {"unet": 0.9, "mod_r2au": 0.65, "sa_unet": 0.75}
    for model in quarter:
        results(model, "lgg2d_lite_eighth", np.full(8, quarter[model] - 0.2))
        results(model, "lgg2d_lite", np.full(8, quarter[model]))
        folder = results(model, "lgg2d_lite_half", np.full(8, half[model]))
    rows = width.rows(collect(folder, width, width.MODELS))
    assert [row["other terms"] for row in rows] == ["lgg2d_lite_eighth"] * 3 + [
        "lgg2d_lite_half"
    ] * 3
    by_model = {row["model"]: row for row in rows[3:]}
    assert [by_model[model]["pairs kept"] for model in quarter] == [2, 1, 1]
    assert [by_model[model]["other rank"] for model in quarter] == [1, 3, 2]
    assert [row["pairs kept"] for row in rows[:3]] == [2, 2, 2]
    assert by_model["sa_unet"]["difference"] == pytest.approx(0.15, abs=1e-3)


def test_other_terms_are_all_or_those_that_are_named():
    conditions = width.conditions("lgg2d_lite")
    assert finding._against(conditions, None) == conditions
    assert list(finding._against(conditions, "lgg2d_lite_half")) == [
        "lgg2d_lite",
        "lgg2d_lite_half",
    ]
    with pytest.raises(ZooError, match=r"'lgg2d'\..*Known: lgg2d_lite_eighth, lgg2d_lite_half\.$"):
        finding._against(conditions, "lgg2d")


def test_widths_are_drawn_from_narrow_to_wide():
    terms = {"quarter": 0.4, "eighth": 0.1, "half": 1.7}
    rows = [
        {
            "model": "unet",
            "first terms": "quarter",
            "other terms": other,
            "first": 0.6,
            "other": 0.7,
        }
        | {"first rank": 1, "other rank": 1, "first gmacs": 0.4, "other gmacs": terms[other]}
        for other in ("eighth", "half")
    ]
    (axes, below) = width.figure(rows).axes
    assert [label.get_text() for label in below.get_xticklabels()] == ["eighth", "quarter", "half"]
    assert axes.lines[0].get_ydata() == pytest.approx([0.7, 0.6, 0.7])


def test_records_of_different_data_are_refused(results):
    results("sa_unet", "lgg2d_lite", (0.8, 0.6))
    folder = results("sa_unet", "author_lgg2d_lite", (0.8, 0.6), split_digest="another")
    with pytest.raises(UserError, match="whose split_digest differ"):
        recipes.rows(collect(folder, recipes, "sa_unet"))


def test_ranks_move_with_the_way_where_they_must(results):
    # One patient is nearly all voxels: pooled, whoever does well on that one leads.
    results("unet", "lgg2d_lite", (0.9, 0.9, 0.2))
    folder = results("sa_unet", "lgg2d_lite", (0.5, 0.5, 0.6))
    rows = sensitivity.rows(collect(folder, sensitivity, "unet,sa_unet"))
    assert [row["model"] for row in rows[:: len(sensitivity.WAYS)]] == ["unet", "sa_unet"]
    assert len(rows) == 2 * len(sensitivity.WAYS) == 18
    assert {row["rank"] for row in rows} <= {1, 2}


class Network:
    """Calls lesion what is bright in FLAIR alone, and nothing without it."""

    def __init__(self, *_):
        pass

    def __call__(self, images):
        lesion = (images[..., 3:] > 1).astype(np.float32)
        return np.concatenate([1 - lesion, lesion, 0 * lesion, 0 * lesion], axis=-1)


@pytest.fixture
def one_network(monkeypatch, tmp_path):
    """Let every record's network be `Network`, on phantoms."""
    four = ("t1", "t1ce", "t2", "flair")
    spec = DataSpec(layout="phantom", size=(32, 32), target="labels", channels=four)
    data = data_pipeline.load(spec)
    trained = Trained.of(protocol.shipped("brats2d_lite"), data, Cut())
    monkeypatch.setattr(own_patients, "weights_of", lambda one, results: tmp_path)
    monkeypatch.setattr(networks.trained_network, "read", lambda path: trained)
    monkeypatch.setattr(networks.weights, "restore", lambda path: None)
    monkeypatch.setattr(networks, "Predictor", Network)
    monkeypatch.setattr(own_patients.data_pipeline, "load", lambda *_, **__: data)
    return data


def test_sequences_are_taken_away_one_subset_at_a_time(results, one_network):
    known = {"split_digest": one_network.split_digest, "channels": list(one_network.channels)}
    results("unet", "brats2d_lite", (0.8, 0.6), **known)
    folder = results("unet", "brats2d_lite_missing", (0.8, 0.6), **known)
    pattern = Job("", results=str(folder))
    runs = needed_runs.collect(pattern, "unet", sequences.conditions("brats2d_lite"))
    rows = sequences.rows(sequences.ask(pattern, runs))
    assert len(rows) == 15 * len(one_network.regions)
    assert rows[0]["sequences"] == "t1 t1ce t2 flair"
    whole = {row["sequences"]: row["trained on all"] for row in rows if row["region"] == "WT"}
    (bright,) = {dice for names, dice in whole.items() if "flair" in names.split()}
    (dark,) = {dice for names, dice in whole.items() if "flair" not in names.split()}
    healthy = sum(not patient.reference.any() for patient in one_network.patients("test"))
    assert bright > dark == healthy / one_network.n_test
    assert {row["difference"] for row in rows} == {0.0}
    assert all(row["patients"] == one_network.n_test for row in rows)


def epochs(dice, seconds):
    """An epoch of so many seconds a value, ten samples a second."""
    told = {"loss": 0.5, "val_loss": 0.75, "seconds": seconds, "samples_per_sec": 10.0}
    return [told | {"epoch": n, "val_dice": value} for n, value in enumerate(dice, 1)]


def test_volumes_stand_beside_slices_of_the_same_patients_and_the_same_compute(results):
    """Slices are done after 4 units of 30 s, volumes after 3 of 60: at 120 s they are at .5."""
    results("sa_unet", "brats2d_lite", (0.5, 0.6, 0.7), history=epochs([0.2, 0.4, 0.3, 0.35], 30.0))
    folder = results(
        "sa_unet", "brats3d_lite", (0.7, 0.7, 0.7), history=epochs([0.1, 0.5, 0.6], 60.0)
    )
    pattern = Job(model="", results=str(folder))
    for base in ("brats2d_lite", "brats3d_lite"):
        runs = needed_runs.collect(pattern, "sa_unet", dimensions.conditions(base))
        (row,) = dimensions.rows(runs)
        assert (row["slices"], row["volumes"]) == pytest.approx((0.6, 0.7), abs=1e-3)
        assert row["difference"] == pytest.approx(0.1, abs=1e-3)
        assert (row["slices minutes"], row["volumes minutes"]) == (2.0, 3.0)
        assert row["volumes tera multiply-adds"] / row["slices tera multiply-adds"] == 1.5
        assert row["slices validation at equal cost"] == 0.4
        assert row["volumes validation at equal cost"] == 0.5


def test_a_protocol_without_a_twin_of_the_other_rank_is_refused():
    with pytest.raises(UserError, match=r"brats2d_lite, .*Received: 'lgg2d_lite'"):
        dimensions.conditions("lgg2d_lite")


def two_patients():
    """Two patients of two slices, 10 by 10: one with a lesion half of which is found, one without.

    The lesion is 8 voxels of class 1 in the first slice, 4 of them found for certain; what is found
    in the healthy one are 2 voxels of class 2.
    """
    truth = np.zeros((2, 2, 10, 10, 3))
    truth[..., 0] = 1
    truth[0, 0, 0, :8] = 0, 1, 0
    found = np.zeros_like(truth)
    found[..., 0] = 1
    found[0, 0, 0, :4] = 0, 1, 0
    found[1, 0, 0, :2] = 0.2, 0, 0.8
    return truth, found


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("regions,\nby patient", 0.45),
        # Class 1: 2 * 4 / 12 and 1; class 2: 1 and 0.
        ("classes,\nby patient", (8 / 12 + 1 + 1 + 0) / 4),
        # Only the first slice of the first patient holds a lesion; class 2 is nowhere in it.
        ("pooled", (8 / 12 + 1) / 2),
        ("pooled, with\nbackground", (2 * 92 / (92 + 96) + 8 / 12 + 1) / 3),
        ("mean IoU with\nbackground", (92 / 96 + 4 / 8 + 1) / 3),
        ("accuracy", 0.96),
    ],
)
def test_a_way_to_count_classes_gives_the_number_of_the_hand(way, expected):
    both = zip(*two_patients(), (0.9, 0.0), strict=True)
    counted = [class_ways.counted(*one, by_slice=True) for one in both]
    assert class_ways.WAYS[way](counted) == pytest.approx(expected, abs=1e-12)


def test_probabilities_are_multiplied_where_the_authors_do_so():
    truth, found = two_patients()
    found[0, 0, 0, :4] = 0.4, 0.6, 0
    soft = class_ways.counted(truth[0], found[0], 0.9, by_slice=True)
    background = 2 * 92 / (92 + 96 + 4 * 0.4)
    lesion = 2 * 4 * 0.6 / (8 + 4 * 0.6)
    way = class_ways.WAYS["the same, of\nprobabilities"]
    assert way([soft]) == pytest.approx((background + lesion + 1) / 3, abs=1e-12)
    # Of a volume every slice counts.
    (volume,) = (class_ways.counted(truth[0], found[0], 0.9, by_slice=False),)
    assert volume.labels.truth.sum() == 2 * soft.labels.truth.sum() == 200


def test_finding_nothing_is_worth_a_quarter_once_the_background_counts(results, one_network):
    known = {"split_digest": one_network.split_digest, "channels": list(one_network.channels)}
    folder = results("attention_unet", "brats2d_lite", (0.8, 0.6), **known)
    pattern = Job("", results=str(folder))
    runs = needed_runs.collect(pattern, "attention_unet", counting.conditions("brats2d_lite"))
    rows = counting.rows(counting.ask(pattern, runs))
    assert [row["way"].replace(" ", "") for row in rows] == [
        way.replace("\n", "").replace(" ", "") for way in class_ways.WAYS
    ]
    told = {row["way"]: row for row in rows}
    reference = np.concatenate(
        [one.reference[one.reference.any(axis=(1, 2))] for one in one_network.patients("test")]
    )
    healthy = (reference == 0).mean()
    assert told["accuracy"]["nothing found"] == pytest.approx(healthy)
    assert told["mean IoU with background"]["nothing found"] == pytest.approx(healthy / 4)
    assert told["mean IoU with background"]["claimed"] == 0.3195
    assert told["the same, of probabilities"]["claimed"] == 0.3211
    assert np.isnan(told["pooled"]["claimed"])
    empty = sum(not one.reference.any() for one in one_network.patients("test"))
    assert told["classes, by patient"]["nothing found"] < 1
    assert told["regions, by patient"]["nothing found"] >= empty / one_network.n_test


def test_the_best_and_the_worst_are_of_those_whose_pictures_may_be_shown(results):
    names = ["Brats18_1", "BraTS2021_1", "BraTS2021_2", "BraTS2021_3", "Brats18_2"]
    results("unet", "brats2d_lite", (0.9, 0.8, 0.7, 0.6, 0.1), names=names)
    folder = results("sa_unet", "brats2d_lite", (0.9, 0.2, 0.7), names=["c", "a", "b"])
    pattern = Job(model="", results=str(folder))
    runs = needed_runs.collect(pattern, "unet,sa_unet", cases.conditions("brats2d_lite"))
    found = {
        model: [patient for _, patient in cases.chosen(by["brats2d_lite"]).values()]
        for model, by in runs.items()
    }
    assert found == {"unet": ["BraTS2021_1", "BraTS2021_3"], "sa_unet": ["c", "a"]}


def test_a_record_alone_cannot_be_asked(results):
    folder = results("unet", "brats2d_lite", (0.8, 0.6))
    (one,) = needed_runs.collect(
        Job("", results=str(folder)), "unet", {"brats2d_lite": {"protocol": "brats2d_lite"}}
    )["unet"]["brats2d_lite"]
    with pytest.raises(UserError, match=r"weights.safetensors is missing.*--force"):
        own_patients.weights_of(one, folder)


@pytest.mark.parametrize("name", findings.NAMES)
def test_each_question_is_one_command_that_writes_a_table_and_a_figure(
    results, tmp_path, name, monkeypatch, one_network
):
    monkeypatch.setattr(coverage, "SAMPLES", 10)
    monkeypatch.setattr(coverage, "RANKINGS", 2)
    monkeypatch.setattr(populations, "PATIENTS", 500)
    models = ("unet", "sa_unet", "attention_unet", "deeplabv3plus")
    for place, model in enumerate(models):
        for protocol_name in ("lgg2d_lite", "lgg2d_lite_leaky", "author_lgg2d_lite"):
            folder = results(model, protocol_name, (0.8 - place / 10, 0.6, 0.7 + place / 20))
        for protocol_name in ("_eighth", "_half", "_budget") if name in ("width", "budget") else ():
            results(model, f"lgg2d_lite{protocol_name}", (0.7, 0.5 + place / 10, 0.7))
    known = {"split_digest": one_network.split_digest, "channels": list(one_network.channels)}
    for model in models if name in ASKED else ():
        for protocol_name in ("brats2d_lite", "brats2d_lite_missing"):
            names = [one.patient for one in one_network.patients("test")]
            results(model, protocol_name, np.linspace(0.9, 0.5, len(names)), names=names, **known)
    for model in ("ar2_unet", "mod_r2au") if name == "recurrence" else ():
        for form in recurrence.FORMS.values():
            results(model, "lgg2d_lite", (0.8, 0.6, 0.7), form=form)
    out = tmp_path / "out"
    asked = ["--models", "unet,sa_unet"] if name in {*FREE, "counting", "cases"} else []
    for protocol_name in ("brats2d_lite", "brats3d_lite") if name == "dimensions" else ():
        for model in ("sa_unet", "mod_r2au"):
            results(model, protocol_name, (0.8, 0.6, 0.7))
    asked += ["--models", "sa_unet,mod_r2au"] if name == "dimensions" else []
    asked += ["--protocol", "brats2d_lite"] if name in {*ASKED, "dimensions"} else []
    assert main(["finding", name, *asked, "--results", str(folder), "--out", str(out)]) == 0
    assert (out / f"{name}.csv").read_text().count("\n") > 2
    assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_shown_brackets_intervals_and_tells_a_verdict_once(capsys):
    interval = {"slices": 0.5, "slices lower": 0.1, "slices upper": 0.9}
    rows = [{"model": name} | interval | {"p": 1.0, "verdict": "too few"} for name in "ab"]
    finding._show(rows, as_json=False)
    out = capsys.readouterr().out
    assert out.count("0.500 [0.100, 0.900]") == 2
    assert "lower" not in out
    assert "Too few: a; b." in out


def test_a_missing_run_that_cannot_be_made_is_one_sentence(tmp_path, capsys, monkeypatch):
    asked = ["finding", "leakage", "--data", str(tmp_path / "none"), "--results", str(tmp_path)]
    assert main(asked) == 2
    assert "none: expected the folder of a data set" in capsys.readouterr().err
    fabricate.no_data(monkeypatch)
    killed = Outcome(Job("unet"), launch.FAILED, tmp_path, None)
    monkeypatch.setattr(launch, "launch", lambda slot: killed)
    assert main(asked) == 2
    assert "unet under lgg2d_lite did not finish" in capsys.readouterr().err


def test_a_recipe_that_loses_all_is_lower_only_on_these_patients_and_this_training(results):
    common = np.linspace(0.7, 0.9, 13)
    results("sa_unet", "lgg2d_lite", common)
    folder = results("sa_unet", "author_lgg2d_lite", common - 0.6)
    (row,) = recipes.rows(collect(folder, recipes, "sa_unet"))
    assert row["difference upper"] < 0
    assert row["verdict"] == (
        "lower on these patients, for one training each; another training is unknown"
    )
