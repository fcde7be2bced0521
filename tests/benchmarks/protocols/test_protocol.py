import dataclasses
import json
import subprocess
import sys

import pytest

import zoo
from benchmarks.errors import UserError
from benchmarks.protocols import chosen_models, protocol
from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from data_pipeline import DataSpec
from data_pipeline.augmenting.augmentation import Augmentation

DIGESTS = {
    "brats2d": "4983cd298fcd3b1812c0cc6a4feb11aa4930773d3cd19f1c52b2cc4735b34aee",
    "brats2d_lite": "c472591495685697c252e252173d5e3f87fc628c5d39b32a5465f160b176d284",
    "brats2d_lite_missing": "a18618fec237521c19a34cb3c8151bd222b1d2bf35b306ee7189923b39dfc06e",
    "brats2d_small": "df71df86942b4b93b5874badc6f8bc5021158623184558b9934421606c3c9faf",
    "brats3d": "ac704171a5c99b70cb147b4746d2c0ac54a7c2145f31a62ab2ef79754bd95094",
    "brats3d_lite": "87e8e60853554dea1ec2e8f479c48b596bf1e0b557245bbcb7ab7bb8db5bebf9",
    "brats3d_small": "684473b73451801c99570e5f0fa9a2a15f0806b975f305d84bc1e15b56ab7ef4",
    "lgg2d": "75cb60dc4882def8d260d971ca43d5849cf23b1f3ff6ddfc67dd5fd2a32d7625",
    "lgg2d_256": "c4571982b4122191e977e08630d3bd41de2c62810f8e53c8198fd0137e0606f6",
    "lgg2d_lite": "7d8aa8cd81647a5b4aa441829d49122f1e129a9c26adfa922973e03b7154e0f2",
    "lgg2d_lite_budget": "7d8aa8cd81647a5b4aa441829d49122f1e129a9c26adfa922973e03b7154e0f2",
    "lgg2d_lite_eighth": "15bf431a7c2dce6c7b96bb3043edf0a28cf1c0f5805bcc7c19a7ecee6bc32b31",
    "lgg2d_lite_half": "e476e0c5c80f09df01d07df3d856c284a048f4155ccbbbf4411a6d309842bfac",
    "lgg2d_lite_leaky": "f68a836883ace08581a903839117cad3143788fe41e2fc49d4e7feadeeb1bbef",
    "lgg2d_small": "21abc3e6e21f736853dffca6f2d26eb1b1d608a68f73213ac2ee935e20f0279c",
    "msd3d": "b58e4501ae9bb7d1f6e5d02d264a3a3c6264fc1592fc94f92dbf7c0759161bb7",
    "quick": "d9d9a702a5c2f187f680ccb29446dd7f54d5004b1ac27dc008f0ba062bedb935",
    "quick3d": "46ab03f54215b7ff36094938500abae12a9fe28560b58651b74b3c3778fd77de",
    "smoke": "c50441506e2ac558cca959a7c03d096eb70eea69413a6f7048e1aa422743c66e",
    "smoke3d": "2b1c93219aab15251a5ecd9b7852ff924bce1a0cb1da1d1a2798cf176d9fff49",
}
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


def test_no_shipped_protocol_changes_its_digest_unnoticed():
    """Records are told apart by these: whoever changes one on purpose changes its line here."""
    shipped = {name: protocol._module(name) for name in protocol.names() if name != "author"}
    assert {name: module.PROTOCOL.digest for name, module in shipped.items()} == DIGESTS


def test_a_later_setting_enters_the_digest_only_where_it_is_used():
    base = Protocol("a", DataSpec(augmentation=Augmentation(shear=0.1)))
    assert "monitor" not in base.as_json()["train"]
    assert "as_keras" not in base.as_json()["data"]["augmentation"]
    keras = DataSpec(augmentation=Augmentation(shear=0.1, as_keras=True))
    assert keras.as_json()["augmentation"]["as_keras"] is True
    assert DataSpec.from_json(keras.as_json()) == keras
    by_loss = dataclasses.replace(base, train=Training(monitor="val_loss"))
    assert len({base.digest, by_loss.digest, Protocol("a", keras).digest}) == 3


def test_digest_is_the_same_in_another_process():
    code = "from benchmarks.protocols import protocol; print(protocol.find('quick', 'unet').digest)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == protocol.find("quick", "unet").digest


def test_finding_a_protocol_imports_neither_keras_nor_tensorflow():
    code = (
        "import sys; from benchmarks.protocols import chosen_models;"
        "chosen_models.models('all', 'smoke');"
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
    # 100 voxels of 256x256; as many of 64x64 would weigh sixteen times as much
    assert found.train.loss_settings == {"smooth": 100 / 16, "pool": "batch"}


def test_author_over_a_protocol_keeps_to_its_budget():
    assert zoo.card("sa_unet").recipe.epochs > 8 == protocol.find("lgg2d_lite", "unet").train.epochs
    assert protocol.find("author_lgg2d_lite", "sa_unet").train.epochs == 8
    assert protocol.find("author", "mod_r2au").train.epochs == 100  # at its full length


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"schedule": "stairs"}, "schedule"),
        ({"optimiser": "lion"}, "optimiser"),
        ({"monitor": "accuracy"}, "monitor"),
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
        chosen_models.models("mod_r2ua", "quick")


def test_models_by_list_wildcard_and_all():
    assert chosen_models.models("unet,sa_unet,unet", "smoke") == (["unet", "sa_unet"], [])
    assert chosen_models.models("*r2*", "smoke")[0] == ["ar2_unet", "mod_r2au", "r2unet"]
    assert chosen_models.models("all", "smoke")[0] == zoo.names()
    taken, left_out = chosen_models.models("all", "lgg2d")
    assert (taken, left_out) == (PLANAR, ["unet3d", "vnet"])


@pytest.mark.parametrize("text", ["", " ", "nothing*"])
def test_models_that_are_none(text):
    with pytest.raises(UserError):
        chosen_models.models(text, "smoke")
