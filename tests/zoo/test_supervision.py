"""Deep supervision: heads that teach the same layers, and leave the network as it was."""

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo import supervision, weights

# One decoder that is no ladder of levels, blocks of one size, an encoder whose levels are joined.
WITHOUT_LEVELS = {"deeplabv3plus", "hnoseg_xs", "segformer3d"}
SUPERVISED = [name for name in zoo.names() if name not in WITHOUT_LEVELS]


def absolute(y, p):
    return ops.mean(ops.abs(y - p), axis=tuple(range(1, len(p.shape))))


def make(name, classes=2):
    rank = zoo.card(name).ranks[0]
    side = 32 if rank == 2 else 16
    return zoo.create(name, (side,) * rank + (2,), classes, width=0.0625)


@pytest.mark.parametrize("name", ["unet", "unet3d"])
def test_coarse_levels_answer_at_their_own_size(name):
    model = make(name)
    before = weights.digest(model)
    learner = supervision.supervised(model, absolute)
    sides = [answer.shape[1] for answer in learner.outputs]
    assert sides == [model.output_shape[1] // 2**level for level in range(len(sides))]
    assert len(sides) == {"unet": 4, "unet3d": 3}[name]
    assert {answer.shape[-1] for answer in learner.outputs} == {2}
    assert weights.digest(model) == before
    image = np.random.default_rng(0).random((1, *model.input_shape[1:]), np.float32)
    np.testing.assert_array_equal(learner([image])[0], model(image))


def test_the_loss_is_the_weighted_sum_over_levels():
    """By hand: constant answers, and a target whose coarse voxels are known."""
    learner = supervision.supervised(make("unet", classes=1), absolute)
    target = np.zeros((1, 32, 32, 1), np.float32)
    target[:, :16] = 1.0
    answers = [np.full((1, 32 // 2**n, 32 // 2**n, 1), 0.25, np.float32) for n in range(4)]
    answers[1][:] = 0.0  # half of the voxels are wrong by 1
    answers[2][:, :4], answers[2][:, 4:] = 1.0, 0.0  # all right
    expected = (0.5 + 0.5 * 0.5 + 0.25 * 0.0 + 0.125 * 0.5) / 1.875
    found = learner.compute_loss(y=target, y_pred=[ops.convert_to_tensor(a) for a in answers])
    assert float(found) == pytest.approx(expected, abs=1e-6)


def test_a_step_teaches_the_network_itself():
    model = make("unet")
    learner = supervision.supervised(model, absolute)
    learner.compile(keras.optimizers.SGD(0.1), loss=absolute, jit_compile=False)
    first_kernel = model.get_layer("down0_0_conv").get_weights()[0]
    image = np.random.default_rng(0).random((2, 32, 32, 2), np.float32)
    target = keras.utils.to_categorical(
        np.random.default_rng(1).integers(0, 2, (2, 32, 32)), 2
    ).astype("float32")
    losses = [learner.train_on_batch(image, target) for _ in range(6)]
    assert losses[-1] < losses[0]
    assert not np.array_equal(model.get_layer("down0_0_conv").get_weights()[0], first_kernel)


@pytest.mark.parametrize("name", SUPERVISED)
def test_every_decoder_with_levels_can_be_supervised(name):
    model = make(name)
    answers = supervision.supervised(model, absolute).outputs
    sides = [answer.shape[1] for answer in answers]
    assert sides[0] == model.output_shape[1]
    assert sides == sorted(set(sides), reverse=True)
    assert len(sides) > 2


def test_a_network_without_levels_is_refused():
    image = keras.Input((8, 8, 1))
    plain = keras.Model(image, keras.layers.Conv2D(1, 1)(image), name="plain")
    with pytest.raises(zoo.UserError, match="plain has no coarser levels"):
        supervision.supervised(plain, absolute)
