"""Depthwise and two-group convolutions against the plain grouped form of Keras, and PyTorch's."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from zoo.blocks.depthwise import DepthwiseConvolution, HalvedConv2D, HalvedConv3D


def noise(*shape) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("sides", [(6, 5, 8), (3, 3, 2), (1, 4, 4), (9, 7)])
def test_it_answers_as_a_convolution_of_one_group_a_channel(sides, size):
    image = noise(2, *sides, 4)
    plain = {2: layers.Conv2D, 3: layers.Conv3D}[len(sides)](4, size, padding="same", groups=4)
    ours = DepthwiseConvolution(size)
    plain.build(image.shape)
    ours.build(image.shape)
    kernel, bias = noise(*(size,) * len(sides), 1, 4), noise(4)
    plain.set_weights([kernel, bias])
    ours.set_weights([np.swapaxes(kernel, -1, -2), bias])
    np.testing.assert_allclose(ours(image), plain(image), atol=1e-5)


@pytest.mark.backends
@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("sides", [(6, 4, 8), (4, 2, 2), (8, 6)])
def test_with_a_stride_it_answers_as_torch_does(sides, size, spread):
    torch = pytest.importorskip("torch")
    image, rank = noise(2, *sides, 3), len(sides)
    ours = DepthwiseConvolution(size, strides=1 if spread else 2, spread=spread)
    ours.build(image.shape)
    kernel, bias = noise(*(size,) * rank, 3, 1), noise(3)
    ours.set_weights([kernel, bias])
    weight = torch.from_numpy(np.moveaxis(kernel, (-2, -1), (0, 1)).copy())
    name = f"conv_transpose{rank}d" if spread else f"conv{rank}d"
    expected = getattr(torch.nn.functional, name)(
        torch.from_numpy(np.moveaxis(image, -1, 1).copy()),
        weight,
        torch.from_numpy(bias),
        stride=2,
        padding=size // 2,
        groups=3,
    )
    answer = ops.convert_to_numpy(ours(image))
    assert answer.shape == ours.compute_output_shape(image.shape)
    np.testing.assert_allclose(answer, np.moveaxis(expected.numpy(), 1, -1), atol=1e-5)


@pytest.mark.parametrize(
    ("ours", "plain", "sides"),
    [(HalvedConv2D, layers.Conv2D, (5, 6)), (HalvedConv3D, layers.Conv3D, (3, 5, 6))],
)
def test_two_groups_answer_as_keras_two_groups(ours, plain, sides):
    image = noise(2, *sides, 4)
    ours, plain = (kind(6, 3, padding="same", groups=2) for kind in (ours, plain))
    plain.build(image.shape)
    ours.build(image.shape)
    ours.set_weights([noise(*kernel.shape) for kernel in plain.weights])
    plain.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(image), plain(image), atol=1e-5)


def test_a_kernel_begins_as_one_of_a_single_input_channel():
    keras.utils.set_random_seed(0)
    layer = DepthwiseConvolution(3)
    layer.build((None, 8, 8, 8, 512))
    assert np.std(layer.kernel) == pytest.approx(np.sqrt(2 / 27), rel=0.02)
