import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from benchmarks.errors import UserError
from benchmarks.training import focal, losses
from zoo import supervision

ALL = sorted(losses.LOSSES)
OVERLAPS = ("dice", "weighted_dice", "tversky", "iou")


def value(name, y, p, exclusive=False, **settings):
    y, p = np.asarray(y, "float32"), np.asarray(p, "float32")
    return ops.convert_to_numpy(losses.create(name, settings, exclusive)(y, p))


def pixels(values):
    """One sample of one channel."""
    return np.asarray(values, "float32").reshape(1, -1, 1, 1)


def test_focal_vector_of_the_conventions():
    found = value("focal", pixels([1, 0, 1, 0]), pixels([0.9, 0.2, 0.4, 0.7]), gamma=2.0)
    assert found[0] == pytest.approx(0.232448, abs=1e-6)


def test_without_gamma_focal_is_the_cross_entropy():
    y, p = pixels([1, 0, 1, 0]), pixels([0.9, 0.2, 0.4, 0.7])
    assert value("focal", y, p, gamma=0.0)[0] == pytest.approx(value("bce", y, p)[0], abs=1e-6)


@pytest.mark.parametrize("alpha", [None, 0.25, 0.8])
@pytest.mark.parametrize("gamma", [0.5, 2.0, 3.0])
def test_the_focal_loss_package_and_keras_agree(gamma, alpha):
    package = pytest.importorskip("focal_loss")
    random = np.random.default_rng(0)
    y = (random.random((3, 50, 1)) > 0.7).astype("float32")
    p = random.uniform(0.001, 0.999, (3, 50, 1)).astype("float32")
    ratio = None if alpha is None else alpha / (1 - alpha)
    theirs = package.binary_focal_loss(y, p, gamma, pos_weight=ratio).numpy().mean(axis=(1, 2))
    theirs = theirs * (1 if alpha is None else 1 - alpha)
    ours = ops.convert_to_numpy(focal.keras_focal(ops.array(y), ops.array(p), gamma, alpha))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(value("focal", y, p, gamma=gamma, alpha=alpha), theirs, rtol=1e-5)


def test_overlaps_by_hand():
    y, p = pixels([1, 1, 0, 0]), pixels([1, 0.5, 0.5, 0])
    assert value("dice", y, p, smooth=0.0)[0] == pytest.approx(1 - 2 * 1.5 / 4)
    assert value("iou", y, p, smooth=0.0)[0] == pytest.approx(1 - 1.5 / 2.5)
    assert value("iou", y, p, smooth=100.0)[0] == pytest.approx(1 - 101.5 / 102.5)
    # tp 1.5, fp .5, fn .5
    expected = 1 - 1.5 / (1.5 + 0.3 * 0.5 + 0.7 * 0.5)
    assert value("tversky", y, p, smooth=0.0)[0] == pytest.approx(expected)


def test_tversky_of_equal_weights_is_dice():
    random = np.random.default_rng(1)
    y = (random.random((2, 8, 8, 1)) > 0.5).astype("float32")
    p = random.random((2, 8, 8, 1)).astype("float32")
    # Tversky adds `smooth` to half of what Dice adds it to.
    np.testing.assert_allclose(
        value("tversky", y, p, alpha=0.5, beta=0.5, smooth=0.5),
        value("dice", y, p, smooth=1.0),
        rtol=1e-5,
    )


@pytest.mark.parametrize("name", OVERLAPS)
def test_two_empty_masks_are_perfect_and_a_false_alarm_is_not(name):
    empty = np.zeros((1, 4, 4, 1))
    assert value(name, empty, empty)[0] == pytest.approx(0, abs=1e-6)
    assert value(name, empty, empty + 0.5)[0] > 0.5


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("channels", "exclusive"), [(1, False), (3, False), (3, True)])
def test_a_perfect_prediction_costs_nothing_and_the_opposite_much(name, channels, exclusive):
    random = np.random.default_rng(2)
    if exclusive:
        y = np.eye(channels)[random.integers(channels, size=(2, 6, 6))]
        wrong = np.roll(y, 1, axis=-1)
    else:
        y = (random.random((2, 6, 6, channels)) > 0.5).astype(float)
        wrong = 1 - y
    assert value(name, y, y, exclusive).max() < 1e-3
    assert value(name, y, wrong, exclusive).min() > 0.5


@pytest.mark.parametrize("name", [*ALL, "bce+dice"])
def test_the_loss_of_a_sample_does_not_depend_on_its_neighbours(name):
    random = np.random.default_rng(3)
    y = (random.random((4, 5, 5, 2)) > 0.5).astype(float)
    p = random.random((4, 5, 5, 2))
    together = value(name, y, p)
    assert together.shape == (4,)
    alone = np.concatenate([value(name, y[i : i + 1], p[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_keras_own_dice_fails_where_ours_does_not():
    empty = np.zeros((2, 4, 4, 1), "float32")
    assert float(keras.losses.Dice()(empty, empty)) > 0.9
    assert value("dice", empty, empty).max() < 1e-6


def test_the_background_never_enters_dice():
    y = np.eye(3)[np.array([[[0, 0], [1, 2]]])]
    p = y.copy()
    p[..., 0] = 0.3  # what the background says makes no difference
    assert value("dice", y, p, exclusive=True)[0] == pytest.approx(0, abs=1e-6)


def test_weighted_dice_weighs_channels():
    y = np.zeros((1, 2, 2, 2))
    y[..., 0] = 1
    p = np.zeros_like(y)  # the first channel is missed, the second is right
    assert value("weighted_dice", y, p, class_weights=(1.0, 0.0))[0] == pytest.approx(0.8)
    assert value("weighted_dice", y, p, class_weights=(0.0, 1.0))[0] == pytest.approx(0)
    assert value("weighted_dice", y, p, class_weights=(0.5, 1.5))[0] == pytest.approx(0.2)


def test_sums_and_settings():
    y, p = pixels([1, 0, 1, 0]), pixels([0.9, 0.2, 0.4, 0.7])
    both = value("dice", y, p)[0] + value("focal", y, p, gamma=1.0)[0]
    assert value("dice+focal", y, p, gamma=1.0)[0] == pytest.approx(both, rel=1e-6)


@pytest.fixture
def batch():
    """Two samples of two channels, and their sums over all voxels of the batch."""
    random = np.random.default_rng(4)
    y = (random.random((2, 6, 7, 2)) > 0.7).astype(float)
    y[0] = 0  # a sample without a lesion
    p = random.random((2, 6, 7, 2))
    return y, p, [(y[..., c].sum(), p[..., c].sum(), (y * p)[..., c].sum()) for c in range(2)]


def test_a_pooled_loss_is_that_of_code_that_flattens_a_batch(batch):
    y, p, sums = batch
    dice = [1 - (2 * tp + 100) / (a + b + 100) for a, b, tp in sums]
    iou = [1 - (tp + 100) / (a + b - tp + 100) for a, b, tp in sums]
    found = {
        name: value(name, y, p, pool="batch", smooth=100.0) for name in ("dice", "iou", "tversky")
    }
    assert found["dice"] == pytest.approx([np.mean(dice)], rel=1e-5)  # one value for the batch
    assert found["iou"] == pytest.approx([np.mean(iou)], rel=1e-5)
    index = [(tp + 100) / (tp + 0.3 * (b - tp) + 0.7 * (a - tp) + 100) for a, b, tp in sums]
    assert found["tversky"] == pytest.approx([1 - np.mean(index)], rel=1e-5)
    assert value("dice", y, p, pool="sample").shape == (2,)


def test_two_cases_of_the_conventions_pooled_and_alone():
    """One perfect of 900 pixels, one with 9 missed: .99502 pooled, .5 a case."""
    y, p = np.zeros((2, 1000, 1, 1)), np.zeros((2, 1000, 1, 1))
    y[0, :900] = p[0, :900] = y[1, :9] = 1
    assert value("dice", y, p, pool="batch", smooth=0.0)[0] == pytest.approx(1 - 0.99502, abs=1e-5)
    assert value("dice", y, p, smooth=1e-7).mean() == pytest.approx(0.5, abs=1e-5)


def test_pooled_classes_leave_the_background_out_of_dice_and_weigh_it_where_asked():
    random = np.random.default_rng(5)
    y = np.eye(3)[random.integers(3, size=(2, 5, 5))]
    p = random.dirichlet([1, 1, 1], size=(2, 5, 5))
    each = [1 - 2 * (y * p)[..., c].sum() / (y + p)[..., c].sum() for c in range(3)]
    pooled = {"pool": "batch", "smooth": 0.0}
    assert value("dice", y, p, True, **pooled)[0] == pytest.approx(np.mean(each[1:]), rel=1e-5)
    found = value("weighted_dice", y, p, True, class_weights=[0.1, 0.3, 0.6], **pooled)
    assert found[0] == pytest.approx(np.dot([0.1, 0.3, 0.6], each), rel=1e-5)


def test_pooling_changes_no_loss_that_is_a_mean_over_voxels(batch):
    y, p, _ = batch
    for name in ("bce", "focal", "categorical_focal"):
        assert value(name, y, p, pool="batch")[0] == pytest.approx(value(name, y, p).mean())


def test_keras_trains_on_the_pooled_value(batch):
    """The single value of a batch survives Keras' own reduction."""
    y, p, sums = batch
    image = keras.Input((6, 7, 2))
    model = keras.Model(image, keras.layers.Identity()(image))
    model.compile(loss=losses.create("dice", {"pool": "batch", "smooth": 100.0}))
    found = model.evaluate(p.astype("float32"), y.astype("float32"), batch_size=2, verbose=0)
    expected = np.mean([1 - (2 * tp + 100) / (a + b + 100) for a, b, tp in sums])
    assert found == pytest.approx(expected, rel=1e-5)


def test_deep_supervision_takes_a_pooled_loss_at_every_level():
    random = np.random.default_rng(6)
    y = (random.random((2, 8, 8, 1)) > 0.5).astype("float32")
    answers = [random.random((2, side, side, 1)).astype("float32") for side in (8, 4)]
    targets = [y, y[:, 1::2, 1::2]]
    loss = losses.create("dice", {"pool": "batch", "smooth": 0.0})
    levels = [
        1 - 2 * (t * p).sum() / (t.sum() + p.sum()) for t, p in zip(targets, answers, strict=True)
    ]
    image = keras.Input((8, 8, 1))
    learner = supervision.Supervised(image, [image, image], loss)
    found = learner.compute_loss(y=y, y_pred=[ops.convert_to_tensor(a) for a in answers])
    assert float(found) == pytest.approx((levels[0] + levels[1] / 2) / 1.5, rel=1e-5)


@pytest.mark.parametrize("alpha", [None, 0.25])
def test_categorical_focal_of_one_channel_is_that_of_two_classes(alpha):
    random = np.random.default_rng(7)
    y, p = (
        (random.random((2, 5, 5, 1)) > 0.5).astype(float),
        random.uniform(0.01, 0.99, (2, 5, 5, 1)),
    )
    two = [np.concatenate([1 - one, one], -1) for one in (y, p)]
    by_hand = np.where(y == 1, -np.log(p) * (1 - p) ** 2, -np.log(1 - p) * p**2).mean((1, 2, 3))
    by_hand *= alpha or 1.0
    for found in (
        value("categorical_focal", y, p, alpha=alpha),
        value("categorical_focal", *two, True, alpha=alpha),
    ):
        np.testing.assert_allclose(found, by_hand, rtol=1e-5)


def test_weighted_dice_of_one_channel_is_that_of_two_classes():
    random = np.random.default_rng(8)
    y, p = (random.random((2, 5, 5, 1)) > 0.5).astype(float), random.random((2, 5, 5, 1))
    two = [np.concatenate([1 - one, one], -1) for one in (y, p)]
    np.testing.assert_allclose(
        value("weighted_dice", y, p, class_weights=[0.1, 0.9]),
        value("weighted_dice", *two, True, class_weights=[0.1, 0.9]),
        rtol=1e-5,
    )


@given(st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4), st.sampled_from(ALL))
def test_every_loss_is_finite_and_not_negative(guess, name):
    found = value(name, pixels([1, 0, 0, 1]), pixels(guess))[0]
    assert np.isfinite(found)
    assert found >= 0


def test_the_loss_is_float32_under_half_precision():
    y = ops.cast(pixels([1, 0, 1, 0]), "float16")
    assert keras.backend.standardize_dtype(losses.create("dice")(y, y).dtype) == "float32"


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("dise", {}, "Did you mean 'dice'"),
        ("dice", {"gama": 1}, "setting of the loss"),
        ("dice", {"exclusive": True}, "setting of the loss"),
        ("dice", {"pool": "bach"}, "Did you mean 'batch'"),
    ],
)
def test_mistakes_are_named(name, settings, told):
    with pytest.raises(ValueError, match=told):
        losses.create(name, settings)


def test_weights_that_do_not_fit_the_channels():
    with pytest.raises(UserError, match="class_weights"):
        value("weighted_dice", pixels([1]), pixels([1]), class_weights=[0.1, 0.3, 0.3, 0.3])
