"""The truncated Hartley transform against numpy's Fourier transform, and linear resizing."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from zoo.blocks.hartley import Hartley, InverseHartley
from zoo.blocks.resizing import LinearResize

SIZES = [((12, 9), (3, 4)), ((8, 7, 10), (2, 3, 4)), ((6, 8, 4), (10, 14, 14)), ((7, 5), (9, 9))]


def fourier(x, inverse=False):
    """The definition, over all frequencies: real minus imaginary part, 1 / N forwards."""
    axes = tuple(range(1, x.ndim - 1))
    spectrum = np.fft.fftn(x, axes=axes)
    return (spectrum.real - spectrum.imag) / (1 if inverse else np.prod(x.shape[1:-1]))


def low(sides, modes):
    """The places of the low frequencies, in the order -m to m - 1."""
    kept = [min(m, side // 2) for side, m in zip(sides, modes, strict=True)]
    return [[k % side for k in range(-m, m)] for side, m in zip(sides, kept, strict=True)]


@pytest.mark.parametrize(("sides", "modes"), SIZES)
def test_low_frequencies_equal_those_of_a_fourier_transform(sides, modes):
    x = np.random.default_rng(0).normal(size=(2, *sides, 3)).astype("float32")
    places = np.ix_(range(2), *low(sides, modes), range(3))
    expected = fourier(x)[places]
    layer = Hartley(modes)
    found = np.asarray(layer(x))
    assert layer.compute_output_shape((None, *sides, 3))[1:] == found.shape[1:]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    padded = np.zeros(x.shape)
    padded[places] = expected
    back = np.asarray(InverseHartley(sides)(expected.astype("float32")))
    np.testing.assert_allclose(back, fourier(padded, inverse=True), atol=1e-5)


@pytest.mark.parametrize("sides", [(5, 8), (4, 3, 6)])
def test_resizing_is_linear_interpolation_at_half_pixel_centres(sides):
    after = tuple(2 * side - 3 for side in sides)
    x = np.random.default_rng(0).random((1, *sides, 2), "float32")
    axes = [
        np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        for old, new in zip(sides, after, strict=True)
    ]
    grid = np.meshgrid(*axes, indexing="ij")
    found = np.asarray(LinearResize(after)(x))
    for channel in range(2):
        expected = ndimage.map_coordinates(x[0, ..., channel], grid, order=1)
        np.testing.assert_allclose(found[0, ..., channel], expected, atol=1e-6)


def test_transforms_and_resizing_come_back_from_their_configurations():
    for layer in (Hartley((2, 3)), InverseHartley((4, 6)), LinearResize((5, 5))):
        twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert twin.get_config() == layer.get_config()
