"""DropBlock against the closed form of its drop rate, in 2D and 3D."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from zoo.blocks.dropblock import DropBlock, _spread


def dropped(layer, shape) -> np.ndarray:
    output = np.asarray(layer(np.ones(shape, "float32"), training=True))
    return output == 0


def expected_rate(sides, block, keep) -> float:
    """A position is kept when none of the seeds whose block covers it fires."""
    valid = [side - block + 1 for side in sides]
    gamma = (1 - keep) / block ** len(sides) * np.prod(sides) / np.prod(valid)
    seeds = np.pad(np.ones(valid), [(block - 1, block - 1)] * len(sides))
    covering = seeds
    for axis in range(len(sides)):  # A box sum along every axis counts the covering seeds.
        covering = ndimage.convolve1d(covering, np.ones(block), axis, mode="constant")
    start = (block - 1) // 2
    inside = covering[tuple(slice(start, start + side) for side in sides)]
    return float(np.mean(1 - (1 - gamma) ** inside))


@pytest.mark.parametrize(
    ("sides", "block", "keep"),
    [((32, 32), 7, 0.9), ((16, 24), 5, 0.7), ((12, 12, 12), 5, 0.9), ((16, 8, 8), 3, 0.8)],
)
def test_drop_rate_meets_the_closed_form(sides, block, keep):
    rate = dropped(DropBlock(keep, block, seed=1), (16, *sides, 24)).mean(axis=(1, 2))
    per_map = rate.reshape(rate.shape[0], -1, 24).mean(1) if len(sides) == 3 else rate
    error = per_map.std() / np.sqrt(per_map.size)
    assert abs(per_map.mean() - expected_rate(sides, block, keep)) < 4 * error
    # Blocks overlap and lie off the borders, so the rate is near 1 - keep and never above it.
    assert 0.6 * (1 - keep) < per_map.mean() < 1 - keep


@pytest.mark.parametrize("rank", [2, 3])
def test_what_is_dropped_are_whole_blocks_of_one_channel(rank):
    holes = dropped(DropBlock(0.98, 3, seed=2), (2, *(12,) * rank, 4))
    assert holes.any()
    for image in holes:
        for channel in np.moveaxis(image, -1, 0):
            opened = ndimage.binary_opening(channel, np.ones((3,) * rank))
            np.testing.assert_array_equal(opened, channel)
    assert not np.array_equal(holes[..., 0], holes[..., 1])


def test_what_is_kept_is_rescaled_by_total_over_kept():
    output = np.asarray(
        DropBlock(0.8, 5, seed=3)(np.ones((4, 20, 20, 8), "float32"), training=True)
    )
    np.testing.assert_allclose(output.mean(), 1, rtol=1e-5)
    np.testing.assert_allclose(output.max(), output.size / (output > 0).sum(), rtol=1e-5)


def test_inference_and_keep_one_pass_everything():
    x = np.random.default_rng(0).random((2, 9, 9, 3), "float32")
    np.testing.assert_array_equal(DropBlock(0.5, 3)(x), x)
    np.testing.assert_array_equal(DropBlock(1.0, 3)(x, training=True), x)


@pytest.mark.parametrize("shape", [(3, 2, 2, 64), (3, 4, 2, 2, 64)])
def test_a_side_shorter_than_the_block_shrinks_it(shape):
    output = np.asarray(DropBlock(0.9, 7, seed=4)(np.ones(shape, "float32"), training=True))
    assert np.isfinite(output).all()
    assert 0 < (output == 0).mean() < 0.3


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_low_precision_keeps_the_rate_and_the_scale(policy):
    layer = DropBlock(0.9, 7, seed=5, dtype=policy)
    x = keras.ops.ones((4, 128, 128, 8), layer.compute_dtype)
    output = layer(x, training=True)
    assert output.dtype == layer.compute_dtype
    values = keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))
    assert np.isfinite(values).all()
    assert values.mean() == pytest.approx(1, abs=0.01)


def test_config_round_trip_and_seed():
    layer = DropBlock(0.7, 5, seed=9, name="drop")
    again = DropBlock.from_config(layer.get_config())
    assert (again.keep, again.block, again.seed, again.name) == (0.7, 5, 9, "drop")
    shape = (2, 16, 16, 4)
    np.testing.assert_array_equal(dropped(layer, shape), dropped(again, shape))
    assert not np.array_equal(dropped(layer, shape), dropped(again, shape)[::-1])
    assert layer.compute_output_shape(shape) == shape


@pytest.mark.parametrize(
    "block",
    [(1, 1), (7, 7), (2, 5), (6, 1), (3, 4, 7), (1, 2, 8)],
    ids=lambda b: "x".join(map(str, b)),
)
def test_a_block_is_spread_as_far_as_a_maximum_filter_reaches(block):
    x = np.random.default_rng(4).random((2, *(9,) * len(block), 3)).astype("float32")
    sides = tuple(slice(None, 9 - length + 1) for length in block)
    size, origin = (1, *block, 1), (0, *(-(length // 2) for length in block), 0)
    expected = ndimage.maximum_filter(x, size=size, origin=origin)[(slice(None), *sides)]
    np.testing.assert_array_equal(np.asarray(_spread(x, block)), expected)
