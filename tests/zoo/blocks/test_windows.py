"""Windows cut and pasted, and attention within them, against numpy."""

import itertools

import keras
import numpy as np
import pytest

from zoo.blocks.transformer import Attention, fitting
from zoo.blocks.windows import Partition, Reunion, WindowAttention, parts

SIDES = [(8, 6), (5, 9), (4, 6, 5)]


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("sides", SIDES)
def test_windows_that_are_cut_can_be_pasted(sides, shifted):
    x = np.random.default_rng(0).random((2, *sides, 3), "float32")
    where = {"sides": sides, "window": 4, "shifted": shifted}
    cut = Partition(**where)(x)
    assert tuple(cut.shape) == (2, *Partition(**where).compute_output_shape(x.shape)[1:])
    np.testing.assert_array_equal(Reunion(**where)(cut), x)


def test_a_window_holds_neighbours_and_parts_tell_those_that_rolling_brought_together():
    where = {"sides": (8, 8), "window": 4, "shifted": True}
    places = np.stack(np.meshgrid(range(8), range(8), indexing="ij"), -1)[None].astype("float32")
    windows = np.asarray(Partition(**where)(places))[0]
    for window, part in zip(windows, parts((8, 8), (4, 4), (2, 2)), strict=True):
        for (a, first), (b, second) in itertools.combinations(zip(window, part, strict=True), 2):
            assert (first == second) == (np.abs(a - b).max() < 4)


@pytest.mark.parametrize("shifted", [False, True])
def test_window_attention_is_softmax_attention_with_a_bias(shifted):
    layer = WindowAttention((6, 6), window=3, shifted=shifted, heads=2)
    x = np.random.default_rng(1).normal(size=(1, 4, 9, 12)).astype("float32")
    found = np.asarray(layer(x))
    table = np.asarray(layer.table)
    part = parts((6, 6), (3, 3), (1, 1) if shifted else (0, 0))
    places = [*itertools.product(range(3), repeat=2)]
    for window, head in itertools.product(range(4), range(2)):
        query, key, value = (x[0, window, :, 4 * n + 2 * head :][:, :2] for n in range(3))
        scores = query @ key.T / np.sqrt(2)
        for (i, a), (j, b) in itertools.product(enumerate(places), repeat=2):
            scores[i, j] += table[5 * (a[0] - b[0] + 2) + a[1] - b[1] + 2, head]
            if shifted and part[window, i] != part[window, j]:
                scores[i, j] -= 100
        weights = np.exp(scores - scores.max(1, keepdims=True))
        expected = weights / weights.sum(1, keepdims=True) @ value
        np.testing.assert_allclose(
            found[0, window, :, 2 * head : 2 * head + 2], expected, rtol=1e-4, atol=1e-5
        )


def test_attention_is_the_mean_of_values_where_all_keys_are_alike():
    pairs = np.concatenate([np.ones((1, 4, 2)), np.arange(8).reshape(1, 4, 2)], -1)
    found = Attention(1)(np.ones((1, 3, 2), "float32"), pairs.astype("float32"))
    np.testing.assert_allclose(found, np.broadcast_to([3.0, 4.0], (1, 3, 2)), rtol=1e-6)


def test_layers_come_back_from_their_configurations():
    where = {"sides": (8, 8), "window": 4, "shifted": True}
    for layer in (Partition(**where), Reunion(**where), WindowAttention(**where, heads=2)):
        twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert twin.get_config() == layer.get_config()


def test_a_width_is_rounded_to_a_multiple_of_its_heads():
    assert [fitting(width, 12) for width in (96, 100, 3, 20)] == [96, 96, 12, 24]
