"""Splits: no patient twice, every patient once, whatever the order; balanced; leaky only marked."""

import json
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.errors import UserError
from data_pipeline.splitting import split

burdens = st.one_of(st.none(), st.floats(0, 1))
cohorts = st.dictionaries(st.text(min_size=1, max_size=8), burdens, min_size=6, max_size=60)
seeds = st.integers(0, 1000)
LGG = json.loads(split.COMMITTED["lgg"].read_text())


@given(cohorts, seeds, st.integers(2, 6), st.floats(0.05, 0.5))
def test_every_patient_once_in_a_fold_and_once_tested(patients, seed, folds, val_fraction):
    tested = []
    for fold in range(folds):
        made = split.make(patients, seed=seed, folds=folds, fold=fold, val_fraction=val_fraction)
        sets = [*made.train, *made.val, *made.test]
        assert sorted(sets) == sorted(patients)
        assert min(map(len, (made.train, made.val, made.test))) >= 1
        tested += made.test
    assert sorted(tested) == sorted(patients)


@given(cohorts, seeds, st.randoms())
def test_stable_under_reordering(patients, seed, random):
    order = list(patients)
    random.shuffle(order)
    shuffled = {patient: patients[patient] for patient in order}
    first, second = split.make(patients, seed=seed), split.make(shuffled, seed=seed)
    assert first == second
    assert first.digest == second.digest


@given(cohorts, st.integers(2, 6))
def test_folds_differ_by_few_patients(patients, folds):
    sizes = [len(split.make(patients, folds=folds, fold=fold).test) for fold in range(folds)]
    assert max(sizes) - min(sizes) <= 1


def test_seeds_differ():
    patients = {f"p{number}": number / 100 for number in range(100)}
    digests = {split.make(patients, seed=seed).digest for seed in range(20)}
    assert len(digests) == 20


def test_burden_is_balanced_better_than_by_chance():
    patients = {f"p{number}": (number / 100) ** 3 for number in range(100)}
    mean = statistics.mean(patients.values())
    for fold in range(5):
        made = split.make(patients, fold=fold)
        for part, tolerance in ((made.test, 0.1), (made.val, 0.15), (made.train, 0.05)):
            share = statistics.mean(patients[patient] for patient in part)
            assert share == pytest.approx(mean, rel=tolerance)


def test_stratum_of_a_fold_holds_one_of_each_run_of_like_burden():
    patients = {f"p{number}": float(number) for number in range(20)}
    for fold in range(5):
        tested = sorted(patients[patient] for patient in split.make(patients, fold=fold).test)
        assert [int(burden) // 5 for burden in tested] == [0, 1, 2, 3]


def test_leaky_split_is_marked_and_divides_patients():
    sound = split.make({f"p{number}": None for number in range(10)})
    leaky = split.make_leaky({f"p{number}": 12 for number in range(10)})
    assert not sound.leaky
    assert not sound.digest.startswith("leaky")
    assert leaky.leaky
    assert leaky.digest.startswith("leaky-")
    assert split.Split(leaky.train, leaky.val, leaky.test).digest != leaky.digest
    units = [*leaky.train, *leaky.val, *leaky.test]
    assert len(units) == len(set(units)) == 120
    trained, tested = ({split.slice_of(u)[0] for u in part} for part in (leaky.train, leaky.test))
    assert trained & tested


def test_unit_of_a_leaky_split_survives_a_mark_in_the_name():
    assert split.slice_of(f"a{split.SLICE_MARK}b{split.SLICE_MARK}7") == (
        f"a{split.SLICE_MARK}b",
        7,
    )


@pytest.mark.parametrize(
    "options",
    [{"folds": 1}, {"fold": 5}, {"fold": -1}, {"val_fraction": 0.0}, {"val_fraction": 1.0}],
    ids=str,
)
def test_options_that_can_not_be_are_refused(options):
    with pytest.raises(UserError):
        split.make({f"p{number}": None for number in range(10)}, **options)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_too_few_patients_are_refused(count):
    with pytest.raises(UserError, match=f"{count} patients"):
        split.make({f"p{number}": None for number in range(count)})


def test_committed_split_names_each_of_the_110_patients_once():
    patients = LGG["patients"]
    assert len(patients) == len(set(patients)) == 110
    assert sorted(p for fold in LGG["splits"] for p in fold["test"]) == sorted(patients)
    for fold in LGG["splits"]:
        assert not set(fold["val"]) & set(fold["test"])
        assert (len(fold["val"]), len(fold["test"])) == (13, 22)


def test_committed_split_is_taken_for_any_subset_whatever_its_burden():
    subset = {patient: float(number) for number, patient in enumerate(LGG["patients"][::2])}
    chosen = split.choose("lgg", subset, fold=3)
    assert set(chosen.test) == set(LGG["splits"][3]["test"]) & subset.keys()
    assert set(chosen.val) == set(LGG["splits"][3]["val"]) & subset.keys()
    assert sorted([*chosen.train, *chosen.val, *chosen.test]) == sorted(subset)


@pytest.mark.parametrize(
    ("layout", "options", "stranger"),
    [("brats", {}, ()), ("lgg", {"seed": 1}, ()), ("lgg", {"folds": 4}, ()), ("lgg", {}, ("x",))],
    ids=["layout", "seed", "folds", "patient"],
)
def test_other_settings_or_patients_make_a_split_of_their_own(layout, options, stranger):
    patients = dict.fromkeys([*LGG["patients"], *stranger])
    assert split.choose(layout, patients, **options) == split.make(patients, **options)


def test_committed_split_never_changes():
    assert [
        split.choose("lgg", dict.fromkeys(LGG["patients"]), fold=f).digest for f in range(5)
    ] == [
        "f011c07d5932eb01",
        "e9aac199472cdc4d",
        "77971cef969deae0",
        "1ab458cc05ab41ab",
        "1f902758554da801",
    ]


BRATS_WITHOUT_ENHANCING = {f"BraTS2021_0{number}" for number in (1477, 1480, 1483, 1484)}


def test_the_committed_brats_split_spreads_those_without_enhancing_tumour():
    published = json.loads(split.COMMITTED["brats"].read_text())
    folds = [split.choose("brats", dict.fromkeys(published["patients"]), fold=f) for f in range(5)]
    assert [made.digest for made in folds] == [
        "c96d7ad7e8efb1c0",
        "df63ecb5555e71ab",
        "259d75538ee5ecf0",
        "60e799d94ab0e882",
        "29f402c000fb05d4",
    ]
    assert sorted(patient for made in folds for patient in made.test) == published["patients"]
    assert len(published["patients"]) == 17
    for made in folds:
        assert len(made.test) in (3, 4)
        assert len(BRATS_WITHOUT_ENHANCING & set(made.test)) <= 1
        assert set(made.val) - BRATS_WITHOUT_ENHANCING, "enhancing tumour is validated in each fold"


def test_own_split_is_read(tmp_path):
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"train": ["b", "a"], "val": ["c"], "test": ["d"]}))
    assert split.read(path) == split.Split(("a", "b"), ("c",), ("d",))


@pytest.mark.parametrize("text", ["", "[]", '{"train": []}', "{"])
def test_own_split_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "split.json"
    path.write_text(text)
    with pytest.raises(UserError, match="train, val and test"):
        split.read(path)
