"""Which patients are drawn: some for this model, some for every model alike."""

from benchmarks.predicting import overlays


def test_best_median_worst_and_the_extreme_tumours_are_drawn():
    dice = {"a": 0.9, "b": 0.1, "c": 0.5, "d": 0.7, "e": 0.6}
    chosen = overlays.choose(dice, {"a": 50, "b": 5, "c": 500, "d": 60, "e": 70})
    assert chosen == {
        "a": "best: a, Dice 0.900",
        "e": "median: e, Dice 0.600",
        "b": "worst, smallest tumour: b, Dice 0.100",
        "c": "largest tumour: c, Dice 0.500",
    }


def test_two_models_share_patients_whatever_they_scored():
    sizes = {"a": 3, "b": 1, "c": 2}
    first = overlays.choose({"a": 0.9, "b": 0.5, "c": 0.1}, sizes)
    other = overlays.choose({"a": 0.1, "b": 0.2, "c": 0.9}, sizes)
    assert {"a", "b"} <= first.keys() & other.keys()


def test_one_patient_or_none_is_enough():
    assert list(overlays.choose({"a": 0.5}, {})) == ["a"]
    assert overlays.choose({}, {}) == {}
