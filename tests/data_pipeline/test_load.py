"""`load`: from nothing to a fold, and the way back to a patient's own voxels."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import data_pipeline
from data_pipeline import Cohort, DataSpec, UserError, load, origin, sources
from data_pipeline.cases.read_case import read_case
from data_pipeline.checking import check_once
from data_pipeline.phantom import write
from data_pipeline.phantom.write import ensure


def test_phantoms_need_no_folder(flat, cache):
    data = load(flat, cache=cache)
    assert (data.n_train, data.n_val, data.n_test) == (3, 1, 2)
    assert data.input_shape == (20, 20, 3)
    assert (data.classes, dict(data.regions)) == (1, {"WT": (1, 2, 3)})
    assert data.channels == ("t1", "flair", "t1ce")
    assert not data.leaky
    again = load(flat, cache=cache)
    assert (again.fingerprint, again.split_digest) == (data.fingerprint, data.split_digest)


def test_folds_test_every_patient_once(flat, cache):
    folds = [load(flat, fold=fold, cache=cache) for fold in range(3)]
    tested = [patient for data in folds for patient in data.split.test]
    assert sorted(tested) == sorted(set(tested))
    assert len(tested) == flat.phantom.patients
    assert len({data.fingerprint for data in folds}) == 1
    assert len({data.split_digest for data in folds}) == 3


def test_other_phantoms_have_another_fingerprint(flat, cache):
    other = replace(flat, phantom=Cohort(patients=6, size=24, seed=4))
    assert load(other, cache=cache).fingerprint != load(flat, cache=cache).fingerprint


def test_regions_keep_the_order_of_their_layout(flat, cache):
    data = load(replace(flat, target="regions"), cache=cache)
    assert list(data.regions) == ["WT", "TC", "ET"]
    assert data.target.channels == ((1, 2, 3), (1, 3), (3,))
    assert data.classes == 3


def test_batches_and_augmentation_leave_the_fingerprint_alone(flat, cache):
    other = replace(flat, augmentation=None, batch_size=3, target="regions")
    assert load(other, cache=cache).fingerprint == load(flat, cache=cache).fingerprint


@pytest.mark.parametrize("kind", ["flat", "solid"])
def test_patients_are_read_on_their_own_grid(kind, cache, request):
    spec = request.getfixturevalue(kind)
    data = load(spec, cache=cache)
    dataset = sources.find(next((cache / "phantoms").glob("*-n6-24-s3")), "phantom")
    cases = {case.name: case for case in dataset.cases}
    for patient in data.patients("test"):
        volume = read_case(cases[patient.id])
        np.testing.assert_array_equal(patient.reference, volume.label)
        assert patient.spacing == volume.spacing
        assert patient.images.dtype == np.float32
        assert patient.images.shape[-1] == len(spec.channels)


def test_the_reference_itself_restored_scores_almost_one(flat, cache):
    data = load(replace(flat, target="labels"), cache=cache)
    for member, patient in zip(data.members["train"], data.patients("train"), strict=True):
        seen = data.store.records(member.case)[..., -1]
        restored = patient.restore(np.eye(4, dtype=np.float32)[seen])
        assert restored.shape == (*patient.reference.shape, 4)
        np.testing.assert_allclose(restored.sum(axis=-1), 1, atol=1e-5)
        hit, true = restored.argmax(axis=-1) > 0, patient.reference > 0
        if true.sum() > 200:
            assert 2 * (hit & true).sum() / (hit.sum() + true.sum()) > 0.85


def test_a_volume_is_restored_exactly(solid, cache):
    data = load(solid, cache=cache)
    for member, patient in zip(data.members["test"], data.patients("test"), strict=True):
        seen = data.store.records(member.case)[..., -1]
        restored = patient.restore(np.eye(4, dtype=np.float32)[seen])
        np.testing.assert_array_equal(restored.argmax(axis=-1), patient.reference)


def test_restore_refuses_other_shapes(flat, cache):
    patient = next(load(flat, cache=cache).patients("val"))
    with pytest.raises(ValueError, match="Expected probabilities"):
        patient.restore(np.zeros((1, 2, 3, 1), np.float32))


def test_a_leaky_split_says_so_and_divides_patients(flat, cache):
    data = load(replace(flat, leaky=True), cache=cache)
    assert data.leaky
    assert data.split_digest.startswith("leaky-")
    assert data.n_test == data.n_train == flat.phantom.patients
    slices = sum(
        len(images) for split in ("train", "val", "test") for images, _ in data.batches(split)
    )
    assert slices == data.store.first_slices[-1]
    for patient in data.patients("test"):
        assert len(patient.images) == len(patient.reference) < data.store.cases[0].depth
        empty = np.zeros((*patient.images.shape[:3], 1), np.float32)
        assert patient.restore(empty).shape[:3] == patient.reference.shape


@pytest.mark.parametrize("change", [{}, {"leaky": True}, {"rank": 3, "size": (8, 12, 12)}])
def test_what_is_identified_is_what_is_loaded_and_nothing_is_prepared(
    flat, tmp_path, monkeypatch, change
):
    spec = replace(flat, augmentation=None, **change)
    calls, write_cohort = [], write.write
    monkeypatch.setattr(write, "write", lambda *a: calls.append(a) or write_cohort(*a))
    found = origin.find(spec, None, tmp_path)
    identities = [origin.identify(spec, fold, found) for fold in range(3)]
    assert not (tmp_path / "stores").exists()
    for fold, identity in enumerate(identities):
        data = load(spec, fold=fold, cache=tmp_path)
        assert identity.as_json() == {
            "fingerprint": data.fingerprint,
            "split_digest": data.split_digest,
        }
        prepared = origin.find(spec, tmp_path / "stores", tmp_path)
        assert origin.identify(spec, fold, prepared) == identity
    assert len(calls) == 1, "phantoms are made once"


def test_a_cache_that_takes_nothing_is_one_sentence_before_anything_is_read(tmp_path, monkeypatch):
    root = ensure(tmp_path, "nnunet", 3, 16, 0)
    spec = DataSpec(layout="nnunet", size=(16, 16), folds=2)
    (tmp_path / "file").touch()
    monkeypatch.setattr(check_once, "examine", lambda *a, **k: pytest.fail("it was read"))
    with pytest.raises(UserError, match=r"file/cache: can't keep prepared data .* --cache"):
        load(spec, root=root, cache=tmp_path / "file" / "cache")


def test_prepared_records_are_enough(flat, cache, tmp_path):
    data = load(flat, cache=cache)
    shutil.copytree(data.store.path, tmp_path / "copied" / data.fingerprint)
    alone = load(flat, root=tmp_path / "copied", cache=tmp_path / "cache")
    same = zip(alone.batches("train"), data.batches("train"), strict=True)
    assert all(np.array_equal(a, b) for pair in same for a, b in zip(*pair, strict=True))
    assert alone.fingerprint == data.fingerprint
    assert alone.split_digest == data.split_digest
    with pytest.raises(UserError, match="expected one store"):
        load(replace(flat, size=(22, 22)), root=tmp_path / "copied", cache=cache)
    (alone.store.path / f"{alone.store.cases[0].stem}.records").write_bytes(b"")
    with pytest.raises(UserError, match="not what was written"):
        load(flat, root=tmp_path / "copied", cache=cache)


def test_the_check_is_repeated_when_a_file_was_touched(tmp_path, monkeypatch):
    root = ensure(tmp_path, "nnunet", 3, 16, 0)
    dataset = sources.find(root, "phantom")
    first = check_once.checked(dataset, tmp_path / "cache")
    calls = []
    examine = check_once.examine
    monkeypatch.setattr(check_once, "examine", lambda *a, **k: calls.append(a) or examine(*a, **k))
    assert check_once.checked(dataset, tmp_path / "cache") == first
    assert not calls
    path = dataset.cases[0].images[0]
    path.write_bytes(path.read_bytes())
    assert check_once.checked(dataset, tmp_path / "cache") == first
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layout": "lgg"}, "Expected the folder"),
        ({"channels": ("flair", "pet")}, "no channel pet"),
        ({"normalisation": "zscore_brian"}, "zscore_brain"),
        ({"folds": 40}, "folds"),
        ({"batch_size": 500, "drop_last": True}, "batch_size"),
        ({"normalisation": "div255"}, "8-bit"),
    ],
)
def test_mistakes_are_one_sentence(flat, cache, change, words):
    with pytest.raises(UserError, match=words) as caught:
        load(replace(flat, **change), cache=cache).batches("train")
    assert "\n" not in str(caught.value)


def test_a_label_that_is_renamed_changes_the_regions_at_once(flat, tmp_path):
    root = ensure(tmp_path, "nnunet", 3, 16, 0)
    spec = replace(flat, layout="nnunet", size=(16, 16), target="regions")
    assert load(spec, root=root, cache=tmp_path).regions["ET"] == (3,)
    content = json.loads((root / "dataset.json").read_text())
    labels = content["labels"]
    labels["enhancing tumor"], labels["necrotic core"] = 1, 3
    (root / "dataset.json").write_text(json.dumps(content))
    assert load(spec, root=root, cache=tmp_path).regions["ET"] == (1,)


def test_regions_need_a_layout_that_has_them(flat, tmp_path):
    root = ensure(tmp_path, "lgg", 3, 16, 0)
    spec = replace(flat, layout="lgg", target="regions", normalisation="div255")
    with pytest.raises(UserError, match="several regions"):
        load(spec, root=root, cache=tmp_path)
    with pytest.raises(UserError, match="fold"):
        load(replace(spec, target="whole"), fold=3, root=root, cache=tmp_path)


def test_lgg_slices_stay_bytes(flat, tmp_path):
    root = ensure(tmp_path, "lgg", 3, 16, 0)
    spec = replace(flat, layout="lgg", size=(16, 16), normalisation="div255", augmentation=None)
    data = load(spec, root=root, cache=tmp_path)
    assert {case.dtype for case in data.store.cases} == {"uint8"}
    assert dict(data.regions) == {"tumour": (1,)}
    case = next(c for c in sources.find(root, "lgg").cases if c.patient in data.split.test)
    patient = next(data.patients("test"))
    volume = read_case(case)
    order = [volume.channels.index(name) for name in spec.channels]
    np.testing.assert_allclose(patient.images, volume.image[..., order] / 255, rtol=1e-6)
    assert not patient.in_mm


def test_no_tensorflow_before_a_dataset_is_asked_for(flat, cache):
    code = f"""
import sys, data_pipeline
assert not any(name.split(".")[0] in ("tensorflow", "keras", "cv2") for name in sys.modules)
from tests.data_pipeline.conftest import FLAT
data = data_pipeline.load(FLAT, cache={str(cache)!r})
next(data.batches("train")), next(data.patients("val")), data.fingerprint
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""
    load(flat, cache=cache)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="nothing"):
        data_pipeline.nothing  # noqa: B018


def test_a_year_may_be_stated_where_the_spec_leaves_it_open(tmp_path):
    root = write.write(tmp_path / "brats", "brats", 4, 16)
    (root / write.MARKER).unlink()  # a real data set says nothing of its year
    spec = DataSpec(layout="brats", size=(16, 16), folds=2, batch_size=2)
    with pytest.raises(UserError, match="state the year"):
        load(spec, root=root, cache=tmp_path / "cache")
    found = load(spec, root=root, cache=tmp_path / "cache", version="2021")
    assert found.store.index["about"]["version"] == "2021"
    assert found.spec == spec
