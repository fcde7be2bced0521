import dataclasses

import numpy as np
import pytest
import tiny

from benchmarks.errors import UserError
from benchmarks.inference import predictor
from benchmarks.protocols.protocol import Evaluation
from benchmarks.training import cut, evaluate, losses
from benchmarks.training.cut import Cut
from data_pipeline import Cohort, DataSpec

EVALUATION = Evaluation(surfaces=False, batch_size=8)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def data(cache):
    return tiny.load(cache)


@pytest.fixture(scope="module")
def labelled(cache):
    return tiny.load(cache, dataclasses.replace(tiny.PROTOCOL.data, target="labels"))


class Oracle:
    """Answers with the target itself, changed by `bend`; finds it by the image."""

    def __init__(self, data, bend=lambda target: target, splits=("val", "test")):
        self.known = {
            patient.images.tobytes(): bend(
                data.target.encode(patient.geometry.labels_to_model(patient.reference)).astype(
                    "float32"
                )
            )
            for split in splits
            for patient in data.patients(split)
        }

    def __call__(self, images):
        return self.known[images.tobytes()]


def dice(quality, region, level="patient", policy="brats"):
    return quality.summary[policy][region][level]["dice"]


def test_the_truth_scores_one_and_is_calibrated(data):
    quality = evaluate.evaluate(Oracle(data), data, EVALUATION)
    assert len(quality.patients) == data.n_test
    assert dice(quality, "WT")["mean"] == 1.0
    assert quality.calibration["WT"]["ece"] == 0.0
    assert quality.calibration["WT"]["brier"] == 0.0
    assert quality.cut == Cut(0.5, smallest=0.0)


def test_the_opposite_scores_nothing(data):
    quality = evaluate.evaluate(Oracle(data, lambda target: 1 - target), data, EVALUATION)
    assert dice(quality, "WT")["mean"] == 0.0
    assert quality.calibration["WT"]["ece"] == pytest.approx(1.0)


def test_counts_are_those_of_the_whole_scan_not_of_its_slices(data):
    shifted = Oracle(data, lambda target: np.roll(target, 1, axis=1))
    quality = evaluate.evaluate(shifted, data, EVALUATION)
    for row, patient in zip(quality.patients, data.patients("test"), strict=True):
        truth = patient.reference > 0
        guess = np.roll(truth, 1, axis=1)
        expected = 2 * (truth & guess).sum() / (truth.sum() + guess.sum())
        counts = row["regions"]["WT"]
        assert row["patient"] == patient.id
        assert (counts["tp"], counts["fp"]) == ((truth & guess).sum(), (guess & ~truth).sum())
        assert evaluate.dice_by_patient(quality, "brats")[patient.id] == pytest.approx(expected)
        assert len(counts["slices"]) == len(truth)


def test_softmax_classes_are_told_apart_by_the_largest_and_united_into_regions(labelled):
    quality = evaluate.evaluate(Oracle(labelled), labelled, EVALUATION)
    assert list(labelled.regions) == ["WT", "TC", "ET"]
    for region in labelled.regions:
        assert dice(quality, region)["mean"] == 1.0
        assert quality.calibration[region]["ece"] == pytest.approx(0, abs=1e-6)
    assert "mean" in quality.summary["brats"]


def test_mistaking_one_tumour_class_for_another_spares_the_whole_tumour(labelled):
    swapped = Oracle(labelled, lambda target: target[..., [0, 2, 1, 3]])
    quality = evaluate.evaluate(swapped, labelled, EVALUATION)
    assert dice(quality, "WT")["mean"] == 1.0
    assert dice(quality, "ET")["mean"] == 1.0
    assert dice(quality, "TC")["mean"] < 1.0


def test_the_threshold_is_chosen_on_validation_patients_alone(data):
    def faint(target):
        return 0.3 * target + 0.1

    # The test patients would have another threshold chosen; they must not be asked.
    oracle = Oracle(data, faint, splits=("val",))
    chosen = dataclasses.replace(EVALUATION, threshold=None)
    found = evaluate.choose_cut(oracle, data, chosen).threshold
    assert 0.1 < found <= 0.4
    assert found == 0.4  # of 0.15 to 0.40, all perfect, the nearest to one half
    both = Oracle(data, faint)
    both.known |= Oracle(data, lambda target: 0.2 * target, splits=("test",)).known
    assert evaluate.evaluate(both, data, chosen).cut.threshold == 0.4


def test_softmax_classes_have_no_threshold_to_choose(labelled):
    with pytest.raises(UserError, match="threshold"):
        evaluate.choose_cut(
            Oracle(labelled), labelled, dataclasses.replace(EVALUATION, threshold=None)
        )


def speck(target):
    """Put an enhancing voxel into the corner of the first slice, far from any lesion."""
    target = target.copy()
    target[0, 0, 0] = np.eye(target.shape[-1])[-1]
    return target


def test_small_components_are_left_out_of_every_region(labelled):
    oracle = Oracle(labelled, speck)
    raw, tidy = (
        evaluate.evaluate(oracle, labelled, dataclasses.replace(EVALUATION, smallest=share))
        for share in (0.0, 0.2)
    )
    for region in labelled.regions:
        assert dice(raw, region)["mean"] < dice(tidy, region)["mean"] == 1.0


def test_the_smallest_share_is_chosen_on_validation_patients_alone(labelled):
    left_open = dataclasses.replace(EVALUATION, smallest=None)
    oracle = Oracle(labelled, speck, splits=("val",))
    found = evaluate.choose_cut(oracle, labelled, left_open)
    assert found.smallest in cut.SHARES[1:]
    clean = evaluate.choose_cut(Oracle(labelled, splits=("val",)), labelled, left_open)
    assert clean == Cut(0.5, smallest=0.0)  # nothing to gain: nothing is left out


def test_validation_is_by_patient(data):
    loss = losses.create("bce")
    found, cost = evaluate.validate(Oracle(data), data, EVALUATION, loss)
    assert found == 1.0
    assert cost == pytest.approx(0, abs=1e-5)
    assert evaluate.validate(Oracle(data, lambda t: 1 - t), data, EVALUATION, loss)[0] == 0.0


def test_a_table_has_a_row_for_each_patient_and_region(labelled):
    quality = evaluate.evaluate(Oracle(labelled), labelled, Evaluation(batch_size=8))
    rows = evaluate.table(quality, "exclude")
    assert len(rows) == 3 * labelled.n_test
    assert {"patient", "region", "dice", "hd95", "nsd_2mm", "lesion_dice"} <= rows[0].keys()


class Echo:
    """A model that returns its first channel and notes the shapes it was given."""

    def __init__(self, *sides):
        self.input_shape, self.output_shape = (None, *sides, 2), (None, *sides, 1)
        self.seen = set()

    def predict_on_batch(self, batch):
        self.seen.add(batch.shape)
        return batch[..., :1]


@pytest.mark.parametrize("depth", [1, 7, 8, 9, 21])
def test_slices_go_through_in_batches_of_one_shape(depth):
    images = np.random.default_rng(0).random((depth, 4, 6, 2), np.float32)
    model = Echo(4, 6)
    found = predictor.Predictor(model, Evaluation(batch_size=8))(images)
    np.testing.assert_array_equal(found, images[..., :1])
    assert model.seen == {(8, 4, 6, 2)}


@pytest.mark.parametrize("shape", [(8, 8, 8), (8, 9, 17), (21, 8, 30)])
def test_volumes_are_covered_by_tiles_of_one_shape(shape):
    volume = np.random.default_rng(0).random((*shape, 2), np.float32)
    model = Echo(8, 8, 8)
    found = predictor.Predictor(model, Evaluation(batch_size=3))(volume)
    np.testing.assert_allclose(found, volume[..., :1], rtol=1e-6)
    assert model.seen == {(3, 8, 8, 8, 2)}


def test_volumes_are_scored_on_their_own_grid(cache):
    spec = DataSpec(rank=3, size=(8, 16, 16), batch_size=2, drop_last=True, phantom=Cohort(6, 16))
    data = tiny.load(cache, spec)
    quality = evaluate.evaluate(Oracle(data), data, EVALUATION)
    assert dice(quality, "WT")["mean"] == 1.0
