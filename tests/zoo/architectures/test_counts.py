"""Reference counts: worked out by closed forms from the papers' block descriptions.

The figures are written out here and not read from the cards, so that a card and a model can't be
wrong together.
"""

import math
from functools import cache

import keras
import pytest
from outlines import outline

import zoo
from benchmarks.cost import flops

# name, variant, input, classes, total parameters, trainable ones
COUNTS = [
    ("mod_r2au", None, (256, 256, 3), 1, 21_271_317, 21_257_741),
    ("mod_r2au", "published_code", (128, 128, 3), 1, 4_037_737, 4_037_737),
    ("ar2_unet", None, (256, 256, 3), 1, None, 39_442_925),
    # 5,888 channels in the recurrent units' BatchNorms; two more pairs of statistics for each.
    ("ar2_unet", "own_statistics", (256, 256, 3), 1, 39_458_549 + 2 * 2 * 5_888, 39_442_925),
    ("ar2_unet", "own_norms", (256, 256, 3), 1, None, 39_442_925 + 2 * 2 * 5_888),
    # 2,432 of them, and three more pairs.
    ("mod_r2au", "own_statistics", (256, 256, 3), 1, 21_271_317 + 3 * 2 * 2_432, 21_257_741),
    ("mod_r2au", "own_norms", (256, 256, 3), 1, None, 21_257_741 + 3 * 2 * 2_432),
    ("res_attention_unet", None, (256, 256, 3), 1, 39_090_373, 39_068_869),
    ("res_attention_unet", "head_norm", (256, 256, 3), 1, 39_090_377, None),
    ("res_attention_unet", "separable", (256, 256, 3), 1, 11_264_352, None),
    ("sa_unet", None, (256, 256, 3), 1, 1_129_940, None),
    ("sa_unet", "original", (256, 256, 3), 1, 538_707, None),
    ("unet3d", None, (128, 128, 128, 3), 3, 19_079_299, 19_074_627),
    ("unet3d", None, (128, 128, 128, 4), 4, 19_080_228, None),
    ("resnet50_unet", None, (128, 128, 3), 4, 32_603_204, None),
    ("deeplabv3plus", None, (256, 256, 3), 4, 7_569_099, 7_547_396),
    ("attention_unet", None, (256, 256, 3), 1, None, 34_878_573),
    ("attention_unet", "seed", (256, 256, 3), 4, 31_731_144, 31_731_144),
    # The encoder without its top as Keras documents it, and the decoder above it, as below.
    ("resnet50_unet", "mobilenetv2", (128, 128, 3), 4, 8_047_876, None),
    ("deeplabv3plus", "resnet50", (256, 256, 3), 4, 17_830_980, None),
    ("hnoseg_xs", None, (120, 160, 160, 4), 4, 28_248, 28_248),
    ("swin_unetr", None, (128, 128, 128, 4), 3, 62_191_941, 62_191_941),
    ("swin_unetr", "small", (128, 128, 128, 4), 3, 15_705_621, 15_705_621),
    ("swin_unetr", "small", (256, 256, 3), 1, 6_302_875, 6_302_875),
    ("segformer3d", None, (128, 128, 128, 4), 3, None, 4_525_251),
    # In each of its 12 blocks the source holds a LayerNorm that it never calls.
    ("unetr", None, (128, 128, 128, 4), 3, None, 102_468_147 - 12 * 2 * 768),
    ("unetr", None, (256, 256, 3), 1, None, 87_727_345 - 12 * 2 * 768),
    # As torch counts the sources, whose moving statistics are no parameters.
    ("nnunet", None, (128, 128, 128, 4), 4, 102_350_884, 102_350_884),
    ("nnunet", None, (256, 256, 3), 1, 105_914_401, 105_914_401),
    ("nnunet", "plain", (128, 128, 128, 4), 4, 31_196_708, 31_196_708),
    ("nnunet", "plain", (256, 256, 3), 1, 33_469_409, 33_469_409),
    ("segresnet", None, (128, 128, 128, 4), 3, 4_702_227, 4_702_227),
    ("segresnet", "wide", (128, 128, 128, 4), 3, 18_798_627, 18_798_627),
    ("segresnet", "wide", (256, 256, 3), 1, 6_299_073, 6_299_073),
    ("mednext", None, (128, 128, 128, 4), 4, 5_551_076, 5_551_076),
    ("mednext", "base", (128, 128, 128, 4), 4, 10_526_468, 10_526_468),
    ("mednext", "medium", (128, 128, 128, 4), 4, 17_549_124, 17_549_124),
    ("mednext", "large", (128, 128, 128, 4), 4, 61_779_428, 61_779_428),
    ("mednext", "small5", (128, 128, 128, 4), 4, 5_980_708, 5_980_708),
    ("mednext", "base5", (128, 128, 128, 4), 4, 10_956_100, 10_956_100),
    ("mednext", "medium5", (128, 128, 128, 4), 4, 18_260_996, 18_260_996),
    ("mednext", "large5", (128, 128, 128, 4), 4, 62_993_060, 62_993_060),
    ("unetpp", None, (256, 256, 3), 1, 9_042_177, 9_042_177),
    ("unetpp", None, (96, 96, 1), 1, 9_041_601, 9_041_601),  # as its code says
    ("unetpp", "supervised", (256, 256, 3), 1, 9_042_276, 9_042_276),
    ("r2unet", None, (256, 256, 3), 1, None, 39_091_393),
    ("cmunext", None, (256, 256, 3), 1, None, 3_149_185),
    ("cmunext", "small", (256, 256, 3), 1, None, 417_505),
    ("cmunext", "large", (256, 256, 3), 1, None, 8_286_721),
    ("vnet", None, (128, 128, 128, 4), 3, None, 45_607_906),
]


# Billions of multiply-adds of the sources' own code.
GMACS = [
    ("nnunet", None, (128, 128, 128, 4), 4, 722.97),
    ("nnunet", None, (256, 256, 3), 1, 32.37),
    ("nnunet", "plain", (128, 128, 128, 4), 4, 482.80),
    ("nnunet", "plain", (256, 256, 3), 1, 14.80),
    ("segresnet", None, (128, 128, 128, 4), 3, 148.01),
    ("segresnet", "wide", (128, 128, 128, 4), 3, 584.59),
    ("segresnet", "wide", (256, 256, 3), 1, 15.56),
    ("mednext", None, (128, 128, 128, 4), 4, 127.58),
    ("mednext", "base", (128, 128, 128, 4), 4, 167.00),
    ("mednext", "medium", (128, 128, 128, 4), 4, 243.89),
    ("mednext", "large", (128, 128, 128, 4), 4, 494.88),
    ("mednext", "small5", (128, 128, 128, 4), 4, 165.85),
    ("mednext", "base5", (128, 128, 128, 4), 4, 205.27),
    ("mednext", "medium5", (128, 128, 128, 4), 4, 303.99),
    ("mednext", "large5", (128, 128, 128, 4), 4, 559.19),
    ("r2unet", None, (256, 256, 3), 1, 152.49),
    ("cmunext", None, (256, 256, 3), 1, 7.231),
    ("cmunext", "small", (256, 256, 3), 1, 1.012),
    ("cmunext", "large", (256, 256, 3), 1, 16.853),
    ("vnet", None, (128, 128, 128, 4), 3, 752.5),
    ("swin_unetr", None, (128, 128, 128, 4), 3, 771.64),
    ("swin_unetr", "small", (128, 128, 128, 4), 3, 203.94),
    ("swin_unetr", "small", (256, 256, 3), 1, 4.616),  # stated as 4.62
    ("segformer3d", None, (128, 128, 128, 4), 3, 15.55),
    ("unetr", None, (128, 128, 128, 4), 3, 183.64),
    ("unetr", None, (256, 256, 3), 1, 26.33),
    # 6.12 of convolutions, as in the source, and the transforms, which are products here.
    ("hnoseg_xs", None, (120, 160, 160, 4), 4, 6.1212 + 5.3110),
]


@cache
def counted(name, variant, shape, classes) -> flops.Count:
    count = flops.count(outline(name, shape, classes, variant))
    keras.backend.clear_session()
    return count


def trainable(model) -> int:
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


@pytest.mark.parametrize(("name", "variant", "shape", "classes", "total", "train"), COUNTS)
def test_counts_come_out_exactly(name, variant, shape, classes, total, train):
    count = counted(name, variant, shape, classes)
    assert total in (None, count.params)
    assert train in (None, count.params_trainable)


@pytest.mark.parametrize(("name", "variant", "shape", "classes", "gmacs"), GMACS)
def test_multiply_adds_are_those_of_the_source(name, variant, shape, classes, gmacs):
    macs = counted(name, variant, shape, classes).macs
    assert 1e-9 * macs == pytest.approx(gmacs, rel=5e-4)


# Encoders without their tops, as Keras documents them, and the channels at 1/2, 1/4, ... 1/32.
ENCODERS = [
    ("resnet50", 23_587_712, (64, 256, 512, 1024, 2048)),
    ("mobilenetv2", 2_257_984, (96, 144, 192, 576, 1280)),
    ("efficientnetb3", 10_783_535, (144, 192, 288, 816, 1536)),
    ("vgg16", 14_714_688, (128, 256, 512, 512, 512)),
]


def decoder_by_hand(skips, deepest, classes):
    """Nearest, concat, twice [3x3 without bias, BatchNorm]; a biased 3x3 head."""
    total, before = 0, deepest
    for width, skip in zip((256, 128, 64, 32, 16), (*skips[::-1], 0), strict=True):
        total += 9 * (before + skip) * width + 9 * width * width + 8 * width
        before = width
    return total + 9 * 16 * classes + classes


@pytest.mark.parametrize(("name", "alone", "channels"), ENCODERS)
def test_a_unet_on_any_encoder_meets_its_closed_form(name, alone, channels):
    *skips, deepest = channels
    model = outline("resnet50_unet", (64, 64, 3), 4, encoder=name)
    assert model.count_params() == alone + decoder_by_hand(skips, deepest, 4)


def unet_by_hand(widths, channels, classes, norm):
    """Sum over the U-Net's layers: 9 Cin Cout + Cout a convolution, 4 Cout a BatchNorm."""
    total, moving, before = 0, 0, channels
    blocks = [(before, width) for before, width in zip([channels, *widths], widths, strict=False)]
    blocks += [(2 * width, width) for width in widths[-2::-1]]
    for before, width in blocks:
        total += 9 * before * width + width + 9 * width * width + width
        total += 8 * width * norm
        moving += 4 * width * norm
    for below, width in zip(widths[:0:-1], widths[-2::-1], strict=True):
        total += 4 * below * width + width
    return total + widths[0] * classes + classes, moving


@pytest.mark.parametrize("variant", [None, "plain"])
def test_unet_meets_its_closed_form(variant):
    model = outline("unet", (256, 256, 3), 1, variant)
    total, moving = unet_by_hand([64, 128, 256, 512, 1024], 3, 1, norm=variant is None)
    assert model.count_params() == total
    assert trainable(model) == total - moving


def test_unet3d_has_the_papers_count_without_batchnorm():
    model = outline("unet3d", (128, 128, 128, 3), 3)
    convolutions = [layer for layer in model.layers if "Conv" in type(layer).__name__]
    assert sum(layer.count_params() for layer in convolutions) == 19_069_955


@pytest.mark.parametrize("name", zoo.names())
def test_cards_state_what_the_models_have(name):
    for reference in zoo.card(name).references:
        form = (name, reference.variant, reference.input_shape, reference.classes)
        count = counted(*form)
        assert count.params == reference.params
        assert reference.trainable in (None, count.params_trainable)
        assert 2e-9 * count.macs == pytest.approx(reference.gflops, abs=6e-4, rel=1e-5)


def test_the_default_of_a_card_is_what_create_builds():
    for name in zoo.names():
        card = zoo.card(name)
        model = outline(name, width=0.125)
        assert model.input_shape == (None, *card.input_shape)
        assert model.output_shape == (None, *card.input_shape[:-1], card.classes)


def test_width_scales_every_width():
    assert outline("sa_unet", width=2.0).count_params() == pytest.approx(4 * 1_129_940, rel=0.02)
    full, half = (outline("resnet50_unet", (64, 64, 3), 4, width=w) for w in (1.0, 0.5))
    encoder = 23_587_712
    assert (half.count_params() - encoder) < 0.55 * (full.count_params() - encoder)
