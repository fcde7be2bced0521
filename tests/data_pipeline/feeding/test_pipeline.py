"""Batches: the same bits with TensorFlow and without, whatever the threads and the start."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from data_pipeline import load
from data_pipeline.augmenting.augment import Augmentation

TARGETS = {
    "whole": {"target": "whole"},
    "labels": {"target": "labels"},
    "sparse": {"target": "labels", "sparse_labels": True},
    "regions": {"target": "regions"},
}


def same(batches, others):
    pairs = list(zip(batches, others, strict=True))
    for (image, target), (other_image, other_target) in pairs:
        np.testing.assert_array_equal(image, other_image)
        np.testing.assert_array_equal(target, other_target)
    return len(pairs)


def differ(batches, others):
    return any(not np.array_equal(a[0], b[0]) for a, b in zip(batches, others, strict=False))


@pytest.fixture(params=["flat", "solid"])
def spec(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("target", TARGETS)
def test_tensorflow_gives_the_same_bits(spec, target, cache):
    data = load(replace(spec, **TARGETS[target]), seed=5, cache=cache)
    stream = data.epochs(1, 3).as_numpy_iterator()
    assert same(stream, data.training_batches(1, 3)) == 2 * data.steps_per_epoch
    same(data.val.as_numpy_iterator(), data.batches("val"))
    same(data.test.as_numpy_iterator(), data.batches("test"))


def test_shapes_and_types_are_known_in_advance(spec, cache):
    data = load(replace(spec, drop_last=True), cache=cache)
    image, target = data.train.element_spec
    assert image.shape == (spec.batch_size, *data.input_shape)
    assert target.shape == (spec.batch_size, *spec.size, data.classes)
    assert (image.dtype.name, target.dtype.name) == ("float32", "uint8")
    assert int(data.train.cardinality()) == data.steps_per_epoch


def test_threads_change_nothing(spec, cache):
    one, many = (load(spec, cache=cache, threads=threads) for threads in (1, 7))
    same(one.batches("train", 2), many.batches("train", 2))


@pytest.mark.parametrize("normalisation", ["zscore_brain", "minmax_slice"])
def test_a_batch_is_its_samples_one_by_one(spec, normalisation, cache):
    """Moved or not, bent or not: what is done to all at once does not mix them."""
    some = Augmentation(flip=0.5, rotation=20, affine_probability=0.5, gamma=0.2, elastic=0.05)
    data = load(replace(spec, normalisation=normalisation, augmentation=some), cache=cache)
    own = data.pipelines["train"]
    samples = own.sampler.epoch(0)[:12]
    for epoch in (0, None):
        alone = [own.maker.batch(samples[n : n + 1], epoch) for n in range(len(samples))]
        images, targets = own.maker.batch(samples, epoch)
        same([(images, targets)], [tuple(map(np.concatenate, zip(*alone, strict=True)))])


def test_a_resumed_training_sees_what_an_uninterrupted_one_sees(spec, cache):
    data = load(spec, cache=cache)
    whole = list(data.training_batches(0, 4))
    resumed = load(spec, cache=cache).training_batches(2, 4)
    same(whole[2 * data.steps_per_epoch :], resumed)
    endless = islice(data.epochs(2).as_numpy_iterator(), 2 * data.steps_per_epoch)
    same(whole[2 * data.steps_per_epoch :], endless)


def test_epochs_and_seeds_differ(spec, cache):
    data, other = load(spec, cache=cache), load(spec, seed=1, cache=cache)
    assert differ(data.batches("train", 0), data.batches("train", 1))
    assert differ(data.batches("train", 0), other.batches("train", 0))


def test_validation_is_never_augmented(spec, cache):
    plain = load(replace(spec, augmentation=None), cache=cache)
    same(load(spec, seed=9, cache=cache).batches("val", 3), plain.batches("val"))


def test_the_last_partial_batch_is_kept_or_dropped_as_asked(flat, cache):
    kept = load(flat, cache=cache)
    dropped = load(replace(flat, drop_last=True), cache=cache)
    sizes = [len(image) for image, _ in kept.batches("train")]
    assert sum(sizes) == len(kept.pipelines["train"].sampler)
    assert sizes[-1] < flat.batch_size
    assert [len(image) for image, _ in dropped.batches("train")] == sizes[:-1]


def test_an_epoch_holds_every_slice_once(flat, cache):
    data = load(replace(flat, augmentation=None), cache=cache)
    seen = np.concatenate([image for image, _ in data.batches("train", 4)])
    stored = np.concatenate([p.images for p in data.patients("train")])
    assert sorted(x.tobytes() for x in seen) == sorted(x.tobytes() for x in stored)


def test_targets_follow_their_definition(flat, cache):
    found = {}
    for name, change in TARGETS.items():
        data = load(replace(flat, augmentation=None, **change), cache=cache)
        found[name] = np.concatenate([target for _, target in data.batches("train")])
    labels = found["sparse"][..., 0]
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    np.testing.assert_array_equal(found["whole"][..., 0], labels > 0)
    np.testing.assert_array_equal(found["labels"], labels[..., None] == np.arange(4))
    tumour_core, enhancing = np.isin(labels, (1, 3)), labels == 3
    np.testing.assert_array_equal(
        found["regions"], np.stack([labels > 0, tumour_core, enhancing], axis=-1)
    )


def has_lesion(target):
    return target.reshape(len(target), -1).any(axis=1)


def test_training_slices_may_be_chosen(flat, cache):
    plain = replace(flat, augmentation=None)
    everything, tumour, balanced = (
        load(replace(plain, slices=slices), cache=cache) for slices in ("all", "tumour", "balanced")
    )
    lesion = {
        data.spec.slices: np.concatenate([has_lesion(t) for _, t in data.batches("train", 1)])
        for data in (everything, tumour, balanced)
    }
    assert lesion["tumour"].all()
    assert lesion["tumour"].sum() == lesion["all"].sum() == lesion["balanced"].sum()
    quiet = (~lesion["all"]).sum()
    assert (~lesion["balanced"]).sum() == min(quiet, lesion["all"].sum())
    assert not lesion["all"].all()


def test_patches_are_centred_on_lesions_as_often_as_asked(solid, cache):
    plain = replace(solid, augmentation=None, patches_per_volume=40, batch_size=10)
    always, never = (
        load(replace(plain, foreground_oversampling=share), cache=cache) for share in (1.0, 0.0)
    )
    lesions = []
    for data in (always, never):
        centre = tuple(side // 2 for side in solid.size)
        samples = data.pipelines["train"].sampler.epoch(0)
        hits = []
        for sample in samples:
            corner, store = sample["corner"], data.store
            room = np.array(store.cases[int(sample["case"])].geometry.shape) - solid.size
            inner = ((corner > 0) & (corner < room)).all()  # not pushed inwards at a rim
            if inner and len(store.foreground(int(sample["case"]))):
                label = data.pipelines["train"].maker.record(sample)[..., -1]
                hits.append(label[centre] > 0)
        lesions.append(np.mean(hits))
    assert lesions[0] == 1
    assert lesions[1] < 0.7


def test_tiles_cover_every_voxel(solid, cache):
    data = load(solid, cache=cache)
    for member in data.members["test"]:
        covered = np.zeros(data.store.cases[member.case].geometry.shape, bool)
        for sample in data.pipelines["test"].sampler.epoch(0):
            if sample["case"] == member.case:
                box = zip(sample["corner"], solid.size, strict=True)
                covered[tuple(slice(c, c + n) for c, n in box)] = True
        assert covered.all()


def test_shuffled_labels_belong_to_other_patients(spec, cache):
    plain = replace(spec, augmentation=None, patches_per_volume=4)
    true, shuffled = (
        load(plain, cache=cache),
        load(replace(plain, shuffled_labels=True), cache=cache),
    )
    own = list(true.batches("train", 1))
    foreign = list(shuffled.batches("train", 1))
    for (image, target), (other_image, other_target) in zip(own, foreign, strict=True):
        np.testing.assert_array_equal(image, other_image)
        assert target.shape == other_target.shape
    assert any(not np.array_equal(a[1], b[1]) for a, b in zip(own, foreign, strict=True))
    samples = shuffled.pipelines["train"].sampler.epoch(1)
    cases = shuffled.store.cases
    for case, label_case in zip(samples["case"], samples["label_case"], strict=True):
        assert cases[case].patient != cases[label_case].patient
    same(true.batches("test"), shuffled.batches("test"))  # scores stay honest


def test_augmentation_moves_image_and_target_together(flat, cache):
    turned = replace(flat, augmentation=Augmentation(flip=1.0), slices="tumour")
    plain = load(replace(turned, augmentation=None), cache=cache)
    pairs = zip(load(turned, cache=cache).batches("train"), plain.batches("train"), strict=True)
    for (image, target), (still, label) in pairs:
        np.testing.assert_array_equal(image, still[:, :, ::-1])
        np.testing.assert_array_equal(target, label[:, :, ::-1])


def test_an_abandoned_iterator_stops_its_threads(flat, cache):
    import threading

    batches = load(flat, cache=cache).training_batches(0)
    next(batches)
    batches.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]
