"""Names, cards, and what `create` refuses."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.building import scaled

NAMES = [
    "ar2_unet",
    "attention_unet",
    "cmunext",
    "deeplabv3plus",
    "hnoseg_xs",
    "mednext",
    "mod_r2au",
    "nnunet",
    "r2unet",
    "res_attention_unet",
    "resnet50_unet",
    "sa_unet",
    "segformer3d",
    "segresnet",
    "swin_unetr",
    "unet",
    "unet3d",
    "unetpp",
    "unetr",
    "vnet",
]


def test_the_folder_is_the_registry():
    assert zoo.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_an_architecture_is_read_at_one_sitting(name):
    source = Path(import_module(f"zoo.architectures.{name}").__file__).read_text()
    assert len(source.splitlines()) <= 150, "move what others could use into zoo/blocks"


def test_cards_are_read_without_keras_and_equal_the_modules_own():
    code = (
        "import sys, zoo; [zoo.card(name) for name in zoo.names()];"
        "assert not {'keras', 'tensorflow', 'numpy'} & set(sys.modules), 'too much imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    for name in zoo.names():
        assert zoo.card(name) == import_module(f"zoo.architectures.{name}").CARD


@pytest.mark.parametrize("name", NAMES)
def test_cards_are_complete_and_hashable_by_content(name):
    card = zoo.card(name)
    assert card.title
    assert card.paper
    assert card.source
    assert card.reference().params
    assert set(card.ranks) <= {2, 3}
    assert len(card.digest()) == 64
    assert card.as_dict()["references"][0]["params"] == card.references[0].params
    assert {reference.variant for reference in card.references} >= {None, *card.variants}
    assert card.recipe is not None


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: zoo.create("mod_r2a"), "Did you mean 'mod_r2au'?"),
        (lambda: zoo.create("../unet"), "Unknown architecture '../unet'"),
        (lambda: zoo.card("unet4d"), "Did you mean 'unet3d'?"),
        (lambda: zoo.create("mod_r2au", variant="published"), "'published_code'"),
        (lambda: zoo.create("unet", variant="orginal"), "Unknown variant of unet"),
        (lambda: zoo.create("unet", depth=3), "Unknown setting of unet 'depth'"),
        (lambda: zoo.create("unet", encoder_weights="imagenet"), "Unknown setting of unet"),
        (lambda: zoo.create("unet", classes=0), "classes is 1 (sigmoid) or more"),
        (lambda: zoo.create("unet", width=0), "width is a factor above 0"),
        (lambda: zoo.create("unet", (128, 3)), "unet takes an input_shape of (height, width"),
        (lambda: zoo.create("unet3d", (64, 64, 3)), "(depth, height, width, channels)"),
        (lambda: zoo.create("deeplabv3plus", (64, 64, 64, 3)), "(height, width, channels)"),
        (lambda: zoo.create("unet", (0, 64, 3)), "at least 1"),
        (lambda: zoo.create("unet", (64, 64, None)), "input_shape"),
        (lambda: zoo.create("unet", (130, 128, 3)), "Received: 130. Pad to 144."),
    ],
)
def test_mistakes_are_answered_in_one_sentence(call, sentence):
    with pytest.raises(zoo.UserError) as refusal:
        call()
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_scaled_keeps_a_channel():
    assert scaled((16, 3, 1), 0.125) == (2, 1, 1)


def test_a_setting_of_build_is_an_argument_of_create():
    assert zoo.create("unet", (32, 32, 1), widths=(4, 8), norm=False).count_params() == (
        (9 * 1 + 1) * 4
        + (9 * 4 + 1) * 4
        + (9 * 4 + 1) * 8
        + (9 * 8 + 1) * 8
        + 4 * 8 * 4
        + 4
        + (9 * 8 + 1) * 4
        + (9 * 4 + 1) * 4
        + 4
        + 1
    )


@pytest.mark.parametrize("name", ["deeplabv3plus", "sa_unet"])
def test_sides_may_be_left_open(name):
    model = zoo.create(name, (None, None, 3), 1, width=0.125)
    for side in (32, 64):
        output = model(np.zeros((1, side, 2 * side, 3), "float32"), training=True)
        assert output.shape == (1, side, 2 * side, 1)
