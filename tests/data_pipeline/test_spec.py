"""DataSpec: a value that survives JSON, and refuses what makes no sense in one sentence."""

import json
from dataclasses import FrozenInstanceError, replace

import pytest

from data_pipeline import Cohort, DataSpec, UserError
from data_pipeline.augmenting.augment import Augmentation


def test_survives_json():
    spec = DataSpec(
        rank=3,
        size=[16, 16, 16],
        target="labels",
        augmentation=Augmentation(rotation=3.5, flip=0.5),
        phantom=Cohort(patients=5),
    )
    again = DataSpec.from_json(json.loads(json.dumps(spec.as_json())))
    assert again == spec
    assert hash(again) == hash(spec)


def test_a_spacing_is_told_only_where_there_is_one():
    spec = DataSpec(rank=3, size=(8, 8, 8))
    assert "spacing" not in spec.as_json()
    spaced = replace(spec, spacing=[2, 1, 1])
    assert spaced.as_json()["spacing"] == [2.0, 1.0, 1.0]
    assert DataSpec.from_json(json.loads(json.dumps(spaced.as_json()))) == spaced


def test_is_frozen():
    with pytest.raises(FrozenInstanceError):
        DataSpec().batch_size = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layout": "dicom"}, "layout"),
        ({"rank": 4}, "rank"),
        ({"size": (64, 64, 64)}, "size"),
        ({"size": (0, 64)}, "size"),
        ({"channels": ()}, "channels"),
        ({"channels": ("t1", "t1")}, "channels"),
        ({"target": "tumour"}, "target"),
        ({"slices": "some"}, "slices"),
        ({"sparse_labels": True}, "sparse_labels"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"val_fraction": 0.0}, "val_fraction"),
        ({"foreground_oversampling": 1.5}, "foreground_oversampling"),
        ({"rank": 3, "size": (8, 8, 8), "leaky": True}, "leaky"),
        ({"spacing": (1, 1, 1)}, "spacing only where rank is 3"),
        *(
            ({"rank": 3, "size": (8, 8, 8), "spacing": given}, "three millimetres")
            for given in ((1, 1), (1, 1, 0), (1, 1, float("nan")), (1, 1, 1e9), ("1", 1, 1), 1)
        ),
    ],
)
def test_refuses_in_one_sentence(change, words):
    with pytest.raises(UserError, match=words) as caught:
        replace(DataSpec(), **change)
    assert "\n" not in str(caught.value)


def test_refuses_unknown_fields():
    with pytest.raises(UserError, match="colour"):
        DataSpec.from_json({"colour": "red"})
