"""Protocols from TOML files, against protocols written as Python."""

import dataclasses
import tomllib
from dataclasses import replace

import pytest

from benchmarks.__main__ import main
from benchmarks.errors import UserError
from benchmarks.protocols import protocol
from benchmarks.protocols.shipped import lgg2d, lgg2d_lite

MADE = [name for name in protocol.names() if name != protocol.AUTHOR]


def of(folder, text: str, name: str = "mine.toml") -> protocol.Protocol:
    path = folder / name
    path.write_text(text)
    return protocol.find(str(path), "unet")


@pytest.mark.parametrize("name", MADE)
def test_every_protocol_is_shown_as_a_file_that_is_equal(name, tmp_path, capsys):
    assert main(["protocol", "show", name]) == 0
    shown = capsys.readouterr().out
    path = tmp_path / "again.toml"
    path.write_text(shown)
    again = protocol.shipped(str(path))
    assert again.digest == protocol.shipped(name).digest
    assert again.name == name
    assert tomllib.loads(shown)["data"]["size"] == [*again.data.size]


def test_a_file_changes_its_base_and_nothing_else(tmp_path):
    found = of(tmp_path, 'base = "lgg2d_lite"\n[train]\nepochs = 3\nlearning_rate = 1\n')
    base = lgg2d_lite.PROTOCOL
    by_hand = replace(base, train=replace(base.train, epochs=3, learning_rate=1.0))
    assert found.digest == by_hand.digest
    assert found.name == "mine"
    assert type(found.train.learning_rate) is float


def test_none_and_tables_in_tables(tmp_path):
    text = """
    name = "bare"
    base = "lgg2d"
    [data.augmentation]
    rotation = 10
    [train]
    clip_norm = "none"
    loss_settings = {smooth = 2.0}
    [evaluate]
    threshold = "none"
    """
    found = of(tmp_path, text)
    assert found.name == "bare"
    assert found.data.augmentation == replace(lgg2d.AUGMENTATION, rotation=10.0)
    assert found.train.clip_norm is None
    assert found.train.loss_settings == {"smooth": 2.0}
    assert found.evaluate.threshold is None


def test_a_file_builds_on_another_file_beside_it(tmp_path):
    (tmp_path / "first.toml").write_text('base = "quick"\n[train]\nepochs = 2\n')
    found = of(tmp_path, 'base = "first.toml"\n[data]\nsplit_seed = 9\n')
    assert (found.train.epochs, found.data.split_seed) == (2, 9)
    assert found.data.phantom == protocol.shipped("quick").data.phantom


def test_without_a_base_the_rest_is_the_defaults(tmp_path):
    found = of(tmp_path, "[train]\nepochs = 2\n")
    assert found.train == dataclasses.replace(protocol.Training(), epochs=2)


def test_an_authors_protocol_over_a_file_and_a_file_of_such_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    of(tmp_path, 'base = "quick"\n', "mine.toml")
    assert protocol.find("author_mine.toml", "unet").name == "author_mine"
    of(tmp_path, 'base = "quick"\n', "author_mine.toml")
    assert protocol.find("author_mine.toml", "unet").digest == protocol.shipped("quick").digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[train]\nepoch = 3\n", "Did you mean 'epochs'"),
        ("[trian]\nepochs = 3\n", "Did you mean 'train'"),
        ('[train]\nepochs = "six"\n', "train.epochs to be a whole number. Received: 'six'"),
        ("[train]\nepochs = true\n", "train.epochs to be a whole number. Received: True"),
        ("[train]\nepochs = 2.5\n", "whole number"),
        ("[train]\nlearning_rate = inf\n", "train.learning_rate"),
        ("[train]\nlearning_rate = -1.0\n", "above 0"),
        ("[train]\nloss_settings = 3\n", "train.loss_settings to be a table"),
        ("[train]\nloss_settings = {a = 2020-01-01}\n", "train.loss_settings.a"),
        ("[data]\nsize = 64\n", "data.size to be a list"),
        ('[data]\nsize = ["a", 2]\n', "data.size to be a whole number"),
        ("[data]\nsize = [64]\n", "2 positive whole numbers"),
        ("[data.augmentation]\nrotate = 3\n", "Did you mean 'rotation'"),
        ("[data]\naugmentation = 3\n", "augmentation to be a table"),
        ("train = 3\n", "Expected train to be a table"),
        ("name = 3\n", "expected name"),
        ("base = 3\n", "expected base"),
        ('base = "quik"\n', "Did you mean 'quick'"),
        ('base = "author"\n', "recipe on a model's card"),
        ('base = "mine.toml"\n', "its own base"),
        ("epochs = [\n", "is not TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence_that_names_it(text, said, tmp_path):
    with pytest.raises(UserError) as refused:
        of(tmp_path, text)
    assert said in str(refused.value)
    assert "mine.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_and_one_of_bytes(tmp_path, capsys):
    assert main(["protocol", "show", str(tmp_path / "none.toml")]) == 2
    assert "gliozoo new protocol" in capsys.readouterr().err
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not TOML"):
        protocol.shipped(str(tmp_path / "bytes.toml"))


def test_a_models_rank_is_asked_of_a_file_too(tmp_path):
    (tmp_path / "slices.toml").write_text('base = "quick"\n')
    with pytest.raises(protocol.WrongRankError, match="rank 2"):
        protocol.find(str(tmp_path / "slices.toml"), "unet3d")


def test_the_name_that_records_have(tmp_path):
    (tmp_path / "a.toml").write_text('name = "b"\nbase = "quick"\n')
    assert protocol.name_of(str(tmp_path / "a.toml")) == "b"
    assert protocol.name_of("quick") == "quick"
    assert protocol.name_of(None) is None
