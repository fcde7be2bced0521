"""The counter against closed forms written out by hand, and against the zoo's reference counts."""

import itertools

import keras
import pytest
from keras import layers, ops
from outlines import outline

import zoo
from benchmarks.cost import flops
from benchmarks.errors import UserError


def macs_of(layer, *shape):
    image = layers.Input(shape)
    return flops.count(keras.Model(image, layer(image))).macs


CLOSED_FORMS = [
    (layers.Conv1D(5, 3, padding="same"), (20, 4), 3 * 4 * 5 * 20),
    (layers.Conv1D(5, 3, padding="causal"), (20, 4), 3 * 4 * 5 * 20),
    (layers.Conv2D(8, 3, padding="same"), (16, 12, 3), 9 * 3 * 8 * 16 * 12),
    (layers.Conv2D(8, (3, 5)), (16, 12, 3), 15 * 3 * 8 * 14 * 8),
    (layers.Conv2D(8, 3, strides=2, padding="same"), (15, 16, 3), 9 * 3 * 8 * 8 * 8),
    (layers.Conv3D(6, 3, padding="same"), (8, 6, 4, 2), 27 * 2 * 6 * 8 * 6 * 4),
    (layers.Conv3D(6, 2, strides=2), (8, 6, 4, 2), 8 * 2 * 6 * 4 * 3 * 2),
    # Dilation changes nothing but the output of valid padding.
    (layers.Conv2D(8, 3, dilation_rate=6, padding="same"), (16, 16, 3), 9 * 3 * 8 * 256),
    (layers.Conv2D(8, 3, dilation_rate=2), (16, 16, 3), 9 * 3 * 8 * 12 * 12),
    (layers.Conv3D(4, 3, dilation_rate=2, padding="same"), (8, 8, 8, 2), 27 * 2 * 4 * 512),
    # Groups divide the input channels that one filter sees.
    (layers.Conv2D(8, 3, groups=2, padding="same"), (16, 16, 4), 9 * 2 * 8 * 256),
    (layers.Conv3D(8, 3, groups=4, padding="same"), (8, 8, 8, 4), 27 * 1 * 8 * 512),
    # A transposed convolution multiplies each INPUT position with each weight, at any stride.
    (layers.Conv1DTranspose(5, 4, strides=2, padding="same"), (20, 4), 4 * 4 * 5 * 20),
    (layers.Conv2DTranspose(8, 2, strides=2), (16, 12, 4), 4 * 4 * 8 * 16 * 12),
    (layers.Conv2DTranspose(8, 3, strides=2, padding="same"), (16, 12, 4), 9 * 4 * 8 * 16 * 12),
    (layers.Conv2DTranspose(8, 3, padding="same"), (16, 12, 4), 9 * 4 * 8 * 16 * 12),
    (layers.Conv3DTranspose(8, 2, strides=2), (4, 4, 2, 6), 8 * 6 * 8 * 32),
    (layers.DepthwiseConv1D(3, padding="same", depth_multiplier=2), (20, 4), 3 * 8 * 20),
    (layers.DepthwiseConv2D(3, padding="same"), (16, 12, 4), 9 * 4 * 192),
    (layers.DepthwiseConv2D(5, strides=2, depth_multiplier=3), (17, 17, 4), 25 * 12 * 49),
    (layers.SeparableConv1D(6, 3, padding="same"), (20, 4), (3 * 4 + 4 * 6) * 20),
    (layers.SeparableConv2D(6, 3, padding="same"), (16, 12, 4), (9 * 4 + 4 * 6) * 192),
    (
        layers.SeparableConv2D(6, 3, padding="same", depth_multiplier=2),
        (16, 12, 4),
        (9 * 8 + 8 * 6) * 192,
    ),
    (layers.Dense(7), (5,), 5 * 7),
    (layers.Dense(7), (10, 12, 5), 5 * 7 * 120),
    (layers.Dense(7), (4, 10, 12, 5), 5 * 7 * 480),
]


@pytest.mark.parametrize(
    ("layer", "shape", "expected"), CLOSED_FORMS, ids=lambda value: getattr(value, "name", None)
)
def test_closed_forms(layer, shape, expected):
    assert macs_of(layer, *shape) == expected


def test_bias_is_not_a_multiply_add():
    assert macs_of(layers.Dense(7), 5) == macs_of(layers.Dense(7, use_bias=False), 5)


def test_layer_called_three_times_costs_three_times_its_macs_and_once_its_parameters():
    image = layers.Input((8, 8, 4))
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    counted = flops.count(keras.Model(image, shared(shared(shared(image)))))
    once = 9 * 4 * 4 * 64
    assert counted.macs == 3 * once
    assert counted.params == 9 * 16 + 4
    assert [row.macs for row in counted.rows] == [once] * 3
    assert [row.params for row in counted.rows] == [9 * 16 + 4, 0, 0]


def test_shared_layer_is_counted_at_the_shape_of_each_call():
    image = layers.Input((16, 16, 4))
    shared = layers.Conv2D(4, 1)
    small = shared(layers.MaxPooling2D(2)(image))
    model = keras.Model(image, [shared(image), small])
    assert flops.count(model).macs == 16 * (256 + 64)


def nested_model():
    inner_image = layers.Input((None, None, 4))
    inner = keras.Model(inner_image, layers.Conv2D(4, 3, padding="same")(inner_image), name="inner")
    image = layers.Input((None, None, 4))
    middle = keras.Sequential([inner, layers.Conv2D(4, 1, name="point")], name="middle")
    return keras.Model(image, inner(middle(image)))


def test_nested_models_count_at_every_call():
    counted = flops.count(nested_model(), (10, 10, 4))
    assert counted.macs == (2 * 9 * 16 + 16) * 100
    assert [row.name.split("/")[:-1] for row in counted.rows if row.macs] == [
        ["middle", "inner"],
        ["middle"],
        ["inner"],
    ]
    assert counted.params == sum(row.params for row in counted.rows) == 9 * 16 + 4 + 16 + 4


def test_another_input_shape_scales_the_count():
    model = nested_model()
    assert flops.count(model, (20, 20, 4)).macs == 4 * flops.count(model, (10, 10, 4)).macs


@pytest.mark.parametrize("shape", [None, (10, 10, 3), (10, 10), (4, 10, 10, 4)])
def test_shapes_that_do_not_fit_are_refused(shape):
    with pytest.raises(UserError, match="input_shape"):
        flops.count(nested_model(), shape)


@keras.saving.register_keras_serializable("tests")
class Mystery(layers.Layer):
    def build(self, shape):
        self.matrix = self.add_weight(shape=(shape[-1], shape[-1]), name="matrix")

    def call(self, x):
        return ops.matmul(x, self.matrix)


class QuietConvolution(layers.Conv2D):
    """A subclass may do anything in its call, so its parent's rule is not inherited."""


@pytest.mark.parametrize(
    "layer",
    [
        Mystery(name="oddity"),
        QuietConvolution(4, 3, name="oddity"),
        layers.EinsumDense("abcd,de->abce", (None, None, 4), name="oddity"),
    ],
)
def test_weighted_layer_without_a_rule_is_an_error_that_names_it(layer):
    with pytest.raises(UserError, match="'oddity'"):
        macs_of(layer, 8, 8, 4)


def test_product_without_weights_is_an_error_too():
    image = layers.Input((8, 4))
    model = keras.Model(image, ops.matmul(image, ops.transpose(image, (0, 2, 1))))
    with pytest.raises(UserError, match="Matmul"):
        flops.count(model)


def test_weightless_operation_without_a_rule_is_one_per_element_and_listed():
    image = layers.Input((8, 8, 4))
    counted = flops.count(keras.Model(image, ops.tan(image)))
    assert counted.macs == 0
    assert counted.other == 8 * 8 * 4
    assert counted.guessed == ("Tan",)


def test_other_operations_by_their_stated_rules():
    image = layers.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)  # bias 1, ReLU 1
    x = layers.BatchNormalization()(x)  # 2
    x = layers.Add()([x, x, image])  # 2
    x = layers.Concatenate()([layers.Dropout(0.5)(x), x])  # none
    x = layers.MaxPooling2D(2)(x)  # 4 for each output
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)  # 7
    x = layers.Activation("sigmoid")(ops.max(x, axis=-1))  # 1 for each input; 4
    counted = flops.count(keras.Model(image, x))
    assert counted.other == 256 * (2 + 2 + 2) + 128 * 4 + 512 * 7 + 512 + 64 * 4
    assert counted.guessed == ()


def test_trainable_parameters_leave_moving_statistics_and_frozen_layers_out():
    image = layers.Input((8, 8, 4))
    frozen = layers.Conv2D(4, 1)
    model = keras.Model(image, layers.BatchNormalization()(frozen(image)))
    frozen.trainable = False
    counted = flops.count(model)
    assert (counted.params, counted.params_trainable) == (20 + 16, 8)


def test_subclassed_model_has_no_graph():
    class Opaque(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(UserError, match="no graph"):
        flops.count(Opaque(name="opaque"))


def test_channels_first():
    layer = layers.Conv2D(8, 3, padding="same", data_format="channels_first")
    image = layers.Input((3, 16, 12))
    counted = flops.count(keras.Model(image, layer(image)), (3, 16, 12))
    assert counted.macs == 9 * 3 * 8 * 16 * 12


# Twice the multiply-adds at 256x256x3, as architectures.md prints them.
STATED_GFLOPS = [
    ("mod_r2au", None, 1, 214.86),
    ("ar2_unet", None, 1, 307.2),
    ("res_attention_unet", None, 1, 129.7),
    ("res_attention_unet", "separable", 1, 31.4),
    ("sa_unet", None, 1, 5.9),
    ("sa_unet", "original", 1, 4.9),
    ("deeplabv3plus", None, 4, 14.1),
    ("attention_unet", None, 1, 132.9),
    ("attention_unet", "seed", 4, 113.6),
]


@pytest.mark.parametrize(("name", "variant", "classes", "gflops"), STATED_GFLOPS)
def test_stated_gflops_of_the_zoo(name, variant, classes, gflops):
    model = outline(name, (256, 256, 3), classes, variant=variant)
    assert 2e-9 * flops.count(model).macs == pytest.approx(gflops, rel=0.005)


def test_exact_count_of_mod_r2au():
    counted = flops.count(outline("mod_r2au", (256, 256, 3), 1))
    assert round(counted.macs / 1e6) == 107_432
    assert (counted.params, counted.params_trainable) == (21_271_317, 21_257_741)


def test_unet_by_hand():
    """Widths f, 2f, ...: each level costs as much as the next, so the sum is short."""
    widths, side = (64, 128, 256, 512, 1024), 256
    expected = side**2 * 9 * (3 * 64 + 64 * 64) + side**2 * 64
    for level, (above, below) in enumerate(itertools.pairwise(widths)):
        positions = (side >> level) ** 2
        expected += positions // 4 * 9 * (above * below + below * below)  # down
        expected += positions // 4 * 4 * below * above  # transposed: INPUT positions
        expected += positions * 9 * (2 * above * above + above * above)  # up
    assert flops.count(outline("unet", (256, 256, 3), 1)).macs == expected == 48_167_387_136


@pytest.mark.parametrize("name", zoo.names())
def test_every_architecture_counts_without_a_guess(name):
    shape = (32, 32, 32, 2) if zoo.card(name).ranks == (3,) else (64, 64, 3)
    counted = flops.count(outline(name, shape, 1, width=0.125))
    assert counted.guessed == ()
    assert counted.macs > 0 < counted.other
    # GELU costs 45 operations an entry: more than the products of few channels.
    assert counted.macs > counted.other or name in ("cmunext", "mednext")
    assert sum(row.params for row in counted.rows) == counted.params


@pytest.mark.parametrize("name", [n for n in zoo.names() if zoo.card(n).ranks == (2, 3)])
def test_architectures_for_both_ranks_count_in_3d(name):
    counted = flops.count(outline(name, (32, 32, 32, 2), 1, width=0.125))
    assert counted.guessed == ()
