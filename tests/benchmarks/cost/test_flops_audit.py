"""The audit: XLA's program read by XLA's rules, and every product in it accounted for."""

import keras
import pytest
from keras import layers

import zoo
from benchmarks.backends import programs
from benchmarks.cost import flops_audit, hlo, xla_rules

pytestmark = pytest.mark.skipif(
    keras.config.backend() == "torch", reason="the audit reads XLA's program"
)

PROGRAM = """
HloModule example

add.1 {
  x = f32[] parameter(0)
  y = f32[] parameter(1)
  ROOT sum = f32[] add(x, y)
}

double.2 {
  z = f32[4,5]{1,0} parameter(0)
  ROOT twice = f32[4,5]{1,0} add(z, z)
}

ENTRY main {
  image = f32[2,6,6,3]{3,2,1,0} parameter(0)
  kernel = f32[3,3,3,8]{3,2,1,0} parameter(1)
  conv = f32[2,6,6,8]{3,2,1,0} convolution(image, kernel), window={size=3x3 pad=1_1x1_1}, WINDOW
  left = f32[4,7]{1,0} parameter(2)
  right = f32[7,5]{1,0} parameter(3)
  zero = f32[] constant(0)
  product = f32[4,5]{1,0} dot(left, right), lhs_contracting_dims={1}, rhs_contracting_dims={0}
  call.1 = f32[4,5]{1,0} call(product), to_apply=double.2
  call.2 = f32[4,5]{1,0} call(call.1), to_apply=double.2
  ROOT rows = f32[4]{0} reduce(call.2, zero), dimensions={1}, to_apply=add.1
}
""".replace("WINDOW", "dim_labels=b01f_01io->b01f")


def test_program_is_costed_by_hand():
    costs = [(cost.opcode, cost.flops) for cost in hlo.costs(hlo.parse(PROGRAM))]
    taps = (6 * 3 - 2) ** 2  # a tap of the first and of the last output falls on padding
    assert costs == [
        ("convolution", 2 * taps * 3 * 8 * 2),
        ("dot", 2 * 4 * 5 * 7),
        ("add", 20),
        ("add", 20),
        ("reduce", 20 - 4),
    ]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((6, 6, 3, 1, 1), 16),  # every tap but two
        ((16, 16, 3, 1, 18), 16),  # at rate 18 only the centre is inside of 16
        ((16, 8, 2, 2, 1), 16),  # nothing is padded
        ((6, 3, 3, 2, 1), 8),  # 'same' pads at the end alone
    ],
)
def test_taps_inside_of_the_image(sizes, expected):
    assert xla_rules.inside(*sizes) == expected


def model_of(*stack, shape=(12, 12, 4)):
    image = x = layers.Input(shape)
    for layer in stack:
        x = layer(x)
    return keras.Model(image, x)


SHARED = layers.Conv2D(4, 3, padding="same")
STACKS = {
    "same": [layers.Conv2D(8, 3, padding="same")],
    "valid": [layers.Conv2D(8, 3)],
    "strided": [layers.Conv2D(8, 3, strides=2, padding="same")],
    "dilated": [layers.Conv2D(8, 3, dilation_rate=3, padding="same")],
    "grouped": [layers.Conv2D(8, 3, groups=2, padding="same")],
    "depthwise": [layers.DepthwiseConv2D(5, padding="same", depth_multiplier=2)],
    "separable": [layers.SeparableConv2D(8, 3, padding="same")],
    "transposed": [layers.Conv2DTranspose(8, 2, strides=2)],
    "transposed, cropped": [layers.Conv2DTranspose(8, 3, strides=2, padding="same")],
    "transposed, in place": [layers.Conv2DTranspose(8, 3, padding="same")],
    "dense": [layers.Dense(8)],
    "shared": [SHARED, SHARED, SHARED],
    "bilinear": [layers.UpSampling2D(4, interpolation="bilinear")],
}


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS.keys())
def test_every_product_is_predicted(stack):
    entries = flops_audit.reconcile(model_of(*stack))
    products = [entry for entry in entries if entry.operation != "all else: `other`"]
    assert products
    assert all(entry.unexplained == 0 for entry in products)
    assert sum(entry.calls for entry in products) == len(stack) * (1 + ("Separ" in str(stack)))


def test_every_product_is_predicted_in_3d():
    stack = (
        layers.Conv3D(6, 3, padding="same"),
        layers.Conv3DTranspose(4, 2, strides=2, use_bias=False),
    )
    entries = flops_audit.reconcile(model_of(*stack, shape=(6, 6, 4, 2)))
    assert [entry.unexplained for entry in entries[:-1]] == [0, 0]


def test_a_wrong_count_is_found(monkeypatch):
    """Were the strides of a transposed convolution counted, as torchinfo does, it would show."""
    model = model_of(layers.Conv2DTranspose(8, 2, strides=2))
    wrong = xla_rules.Part("Conv2DTranspose", 4000, (xla_rules.Form((4000,), "equal"),))
    monkeypatch.setattr(flops_audit, "parts", lambda call: [wrong] if "Trans" in call.kind else [])
    entries = flops_audit.reconcile(model)
    assert flops_audit.unexplained(entries) > 0.5
    assert {entry.explanation for entry in entries[:2]} == {
        flops_audit.MISSING,
        "no layer predicts it",
    }


@pytest.mark.parametrize("name", ["unet", "sa_unet"])
def test_audit_of_small_architectures(name):
    entries = flops_audit.reconcile(zoo.create(name, (64, 64, 3), 1, width=0.5))
    assert flops_audit.unexplained(entries) < 0.02


EVERY = [(name, variant) for name in zoo.names() for variant in (None, *zoo.card(name).variants)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), EVERY)
def test_less_than_two_percent_is_unexplained(name, variant):
    stated = zoo.card(name).reference(variant)
    model = zoo.create(name, stated.input_shape, stated.classes, variant=variant)
    assert flops_audit.unexplained(flops_audit.reconcile(model)) < 0.02


@pytest.mark.skipif(keras.config.backend() != "jax", reason="only JAX exposes XLA's own analysis")
@pytest.mark.parametrize("name", ["sa_unet", "attention_unet", "deeplabv3plus"])
def test_reading_equals_xlas_own_cost_analysis(name):
    import jax

    model = zoo.create(name, (64, 64, 3), 1, width=0.25)
    weights = [
        [v.value for v in g] for g in (model.trainable_variables, model.non_trainable_variables)
    ]
    lowered = jax.jit(lambda w, x: model.stateless_call(*w, x, training=False)[0]).lower(
        weights, jax.ShapeDtypeStruct((1, 64, 64, 3), "float32")
    )
    ours = sum(cost.flops for cost in hlo.costs(hlo.parse(programs.lowered(model, (1, 64, 64, 3)))))
    assert ours == pytest.approx(lowered.cost_analysis()["flops"], rel=1e-3)


def test_fused_normalisation_costs_what_it_costs_unfused():
    """XLA's analysis has no rule for `batch-norm-inference`; the pieces are a product and a sum."""
    line = "  y = f32[1,4,4,8]{3,2,1,0} batch-norm-inference(x, s, o, m, v), epsilon=0.001"
    program = f"HloModule one\n\nENTRY main {{\n{line}\n}}\n"
    assert [cost.flops for cost in hlo.costs(hlo.parse(program))] == [2 * 4 * 4 * 8]
