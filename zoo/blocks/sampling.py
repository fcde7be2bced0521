"""Between the levels: two ways down, and four up."""

import keras
from keras import layers, ops

from zoo.blocks.convolution import conv_relu, convolution, rank_of


def pool(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Halve every side by the maximum."""
    layer = {2: layers.MaxPooling2D, 3: layers.MaxPooling3D}[rank_of(x)]
    return layer(2, name=name)(x)


def average(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Halve every side by the mean."""
    layer = {2: layers.AveragePooling2D, 3: layers.AveragePooling3D}[rank_of(x)]
    return layer(2, name=name)(x)


def down_strided(
    x: keras.KerasTensor, filters: int, *, name: str, bias: bool = True
) -> keras.KerasTensor:
    """Halve every side by a convolution of 3 and stride 2 whose taps stand around even places.

    'same' would put them one place further: of an even side it pads the far end alone.
    """
    rank = rank_of(x)
    pad, conv = {
        2: (layers.ZeroPadding2D, layers.Conv2D),
        3: (layers.ZeroPadding3D, layers.Conv3D),
    }[rank]
    x = pad(((1, 0),) * rank, name=f"{name}_pad")(x)
    return conv(filters, 3, 2, use_bias=bias, kernel_initializer="he_normal", name=name)(x)


def down_halved(x: keras.KerasTensor, filters: int, *, name: str) -> keras.KerasTensor:
    """Halve every side by a convolution of 2 and stride 2, without bias."""
    return convolution(x, filters, 2, strides=2, bias=False, name=name)


def up_transposed(
    x: keras.KerasTensor,
    filters: int,
    *,
    name: str,
    kernel: int = 2,
    strides: int = 2,
    bias: bool = True,
) -> keras.KerasTensor:
    """Multiply every side by `strides` with a transposed convolution."""
    layer = {2: layers.Conv2DTranspose, 3: layers.Conv3DTranspose}[rank_of(x)]
    return layer(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=bias,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def up_spread(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Convolve 1x1 and set the results apart: 2n - 1 places a side, the bias between them."""
    crop = {2: layers.Cropping2D, 3: layers.Cropping3D}[rank_of(x)]
    layer = {2: SpreadConv2D, 3: layers.Conv3DTranspose}[rank_of(x)]
    x = layer(filters, 1, 2, padding="same", kernel_initializer="he_normal", name=name)(x)
    return crop(((0, 1),) * rank_of(x), name=f"{name}_crop")(x)


def up_nearest(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Double every side by repetition."""
    layer = {2: layers.UpSampling2D, 3: layers.UpSampling3D}[rank_of(x)]
    return layer(2, name=name)(x)


def up_linear(x: keras.KerasTensor, factor: int = 2, *, name: str) -> keras.KerasTensor:
    """Multiply every side by `factor` by bilinear or trilinear interpolation."""
    if rank_of(x) == 2:
        return layers.UpSampling2D(factor, interpolation="bilinear", name=name)(x)
    return TrilinearDoubling(name=name)(x)


def up_conv(
    x: keras.KerasTensor, filters: int, *, name: str, kernel: int = 3, norm: bool = True
) -> keras.KerasTensor:
    """Double every side by repetition, then convolve."""
    x = up_nearest(x, name=f"{name}_up")
    return conv_relu(x, filters, kernel, name=name, norm=norm)


@keras.saving.register_keras_serializable("gliozoo")
class TrilinearDoubling(layers.Layer):
    """Double depth, height and width as bilinear UpSampling2D does: UpSampling3D only repeats.

    With half-pixel centres each new voxel is 3/4 of the nearest old one and 1/4 of the next.
    """

    def call(self, x):
        """Interpolate along one axis after the other."""
        for axis in (1, 2, 3):
            x = self._double(x, axis)
        return x

    @staticmethod
    def _double(x, axis: int):
        count = x.shape[axis]
        index = ops.arange(count)
        before = ops.take(x, ops.maximum(index - 1, 0), axis=axis)
        after = ops.take(x, ops.minimum(index + 1, count - 1), axis=axis)
        pairs = ops.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis=axis + 1)
        shape = list(x.shape)
        return ops.reshape(pairs, [-1, *shape[1:axis], 2 * count, *shape[axis + 1 :]])

    def compute_output_shape(self, input_shape):
        """Double the sides."""
        batch, *sides, channels = input_shape
        return (batch, *(2 * side for side in sides), channels)


@keras.saving.register_keras_serializable("gliozoo")
class SpreadConv2D(layers.Conv2DTranspose):
    """`Conv2DTranspose` of 1x1 and stride 2, as a convolution with zeros set between its results.

    TensorFlow 2.21's oneDNN kernel for its gradient writes out of bounds: wrong gradients, crashes.
    """

    def call(self, inputs):
        """Convolve 1x1, put a zero behind each place, add the bias."""
        x = ops.conv(inputs, ops.swapaxes(self.kernel, -1, -2), padding="valid")
        for axis in (1, 2):
            pairs = ops.stack([x, ops.zeros_like(x)], axis=axis + 1)
            _, *sides, channels = ops.shape(x)
            sides[axis - 1] *= 2
            x = ops.reshape(pairs, (-1, *sides, channels))
        return x + ops.cast(self.bias, x.dtype)
