import dataclasses
import json
import subprocess
import sys

import pytest

import zoo
from benchmarks import choosing, protocol
from benchmarks.errors import UserError
from benchmarks.protocol import Evaluation, Protocol, Training
from data_pipeline import DataSpec

PLANAR = [name for name in zoo.names() if 2 in zoo.card(name).ranks]


def test_every_file_exports_a_protocol_of_its_own_name():
    for name in protocol.names():
        if name != protocol.AUTHOR:
            found = protocol._module(name).PROTOCOL
            assert found.name == name
            json.dumps(found.as_json(), allow_nan=False)


def test_digest_changes_with_every_part_and_not_with_the_name():
    base = Protocol("a", DataSpec())
    assert dataclasses.replace(base, name="b").digest == base.digest
    others = [
        dataclasses.replace(base, data=DataSpec(size=(96, 96))),
        dataclasses.replace(base, train=Training(width=0.5)),
        dataclasses.replace(base, train=Training(loss_settings={"smooth": 2.0})),
        dataclasses.replace(base, evaluate=Evaluation(policy="exclude")),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 5


def test_digest_is_the_same_in_another_process():
    code = "from benchmarks import protocol; print(protocol.find('quick', 'unet').digest)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == protocol.find("quick", "unet").digest


def test_finding_a_protocol_imports_neither_keras_nor_tensorflow():
    code = (
        "import sys; from benchmarks import choosing; choosing.models('all', 'smoke');"
        "print([m for m in ('keras', 'tensorflow', 'jax', 'torch') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_twin_serves_the_architectures_of_the_other_rank():
    assert protocol.find("smoke", "unet3d").name == "smoke3d"
    assert protocol.find("smoke", "unet").name == "smoke"
    assert protocol.find("smoke3d", "unet").name == "smoke3d"
    assert protocol.find("smoke3d", "deeplabv3plus").name == "smoke"


def test_a_protocol_without_a_twin_refuses_the_other_rank():
    with pytest.raises(protocol.WrongRankError, match="rank 3"):
        protocol.find("lgg2d", "unet3d")


@pytest.mark.parametrize("name", PLANAR)
def test_author_is_the_recipe_on_the_card_with_a_digest_of_its_own(name):
    recipe, found = zoo.card(name).recipe, protocol.find("author", name)
    assert found.name == "author"
    assert found.train.learning_rate == recipe.learning_rate
    assert found.train.epochs == recipe.epochs
    assert found.data.batch_size == recipe.batch_size
    assert found.data.normalisation == recipe.normalisation
    assert found.train.width == 1.0
    assert found.digest != protocol.find("lgg2d", name).digest


def test_author_may_stand_on_another_protocol():
    base, found = protocol.find("quick", "sa_unet"), protocol.find("author_quick", "sa_unet")
    assert (found.data.layout, found.data.size) == (base.data.layout, base.data.size)
    assert found.train.width == base.train.width
    assert found.train.loss == "dice"
    assert found.train.loss_settings == {"smooth": 100.0}


def test_author_over_a_protocol_keeps_to_its_budget():
    assert zoo.card("sa_unet").recipe.epochs > 8 == protocol.find("lgg2d_lite", "unet").train.epochs
    assert protocol.find("author_lgg2d_lite", "sa_unet").train.epochs == 8
    assert protocol.find("author", "mod_r2au").train.epochs == 100  # at its full length


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"schedule": "stairs"}, "schedule"),
        ({"optimiser": "lion"}, "optimiser"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"early_stopping": 0}, "early_stopping"),
    ],
)
def test_training_refuses_nonsense_in_one_sentence(wrong, told):
    with pytest.raises(UserError, match=told):
        Training(**wrong)


def test_unknown_names_are_answered_with_the_closest():
    with pytest.raises(ValueError, match="Did you mean 'quick'"):
        protocol.find("quik", "unet")
    with pytest.raises(ValueError, match="Did you mean 'mod_r2au'"):
        choosing.models("mod_r2ua", "quick")


def test_models_by_list_wildcard_and_all():
    assert choosing.models("unet,sa_unet,unet", "smoke") == (["unet", "sa_unet"], [])
    assert choosing.models("*r2*", "smoke")[0] == ["ar2_unet", "mod_r2au"]
    assert choosing.models("all", "smoke")[0] == zoo.names()
    taken, left_out = choosing.models("all", "lgg2d")
    assert (taken, left_out) == (PLANAR, ["unet3d"])


@pytest.mark.parametrize("text", ["", " ", "nothing*"])
def test_models_that_are_none(text):
    with pytest.raises(UserError):
        choosing.models(text, "smoke")
