"""The contract over models from outside: a file, an installed package, and nine broken files."""

import importlib
import json

import outside_models
import pytest

from benchmarks.__main__ import main
from benchmarks.contract import by_heart, checks
from benchmarks.contract.one_backend import tried
from benchmarks.errors import UserError


def wrong(reference: str) -> dict[str, str]:
    told = dict(tried(reference, seconds=60, whole=False))
    return {name: reason for name, reason in told.items() if reason}


def test_a_file_keeps_the_contract_and_learns_by_heart(tmp_path):
    name = outside_models.write(tmp_path, "mine")
    assert checks.ranks(name) == (2,)
    assert not wrong(name)
    by_heart.require(checks.Tried(name, 2), 120, tmp_path / "cache")


def test_an_installed_package_keeps_the_contract(tmp_path, monkeypatch):
    outside_models.install(tmp_path, "wheel_unet")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert not wrong("wheel_unet")


@pytest.mark.parametrize("name", outside_models.BROKEN)
def test_nine_broken_files_are_told_in_a_sentence(name, tmp_path):
    assert len(outside_models.BROKEN) == 9
    source, reason = outside_models.BROKEN[name]
    found = wrong(outside_models.write(tmp_path, name, source))
    assert found
    assert any(reason in told for told in found.values()), found
    assert all("\n" not in told and (";" in told or "," in told) for told in found.values())


def test_a_model_that_no_gradient_reaches_learns_nothing_by_heart(tmp_path, monkeypatch):
    monkeypatch.setattr(by_heart, "STEPS", 20)
    dead = outside_models.SOUND.replace(
        "    last =", "    x = keras.ops.stop_gradient(x) * 0\n    last ="
    )
    name = outside_models.write(tmp_path, "dead", dead)
    with pytest.raises(UserError, match="a gradient reaches every layer"):
        by_heart.require(checks.Tried(name, 2), 120, tmp_path / "cache")
    with pytest.raises(UserError, match="give more with --seconds"):
        by_heart.require(checks.Tried(name, 2), 0, tmp_path / "cache")


@pytest.mark.slow
def test_the_command_tries_every_backend_and_answers_for_a_broken_one(tmp_path, capsys):
    good = outside_models.write(tmp_path, "good")
    assert main(["check", good, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kept"]
    assert {part["backend"] for part in told["parts"]} >= {"tensorflow"}
    source, reason = outside_models.BROKEN["logits"]
    assert main(["check", outside_models.write(tmp_path, "logits", source)]) == 2
    assert reason in capsys.readouterr().out


def test_what_can_be_refused_without_keras_is_refused_at_once(tmp_path, capsys):
    assert main(["check", str(tmp_path / "none.py")]) == 2
    assert main(["check", "unett"]) == 2
    assert "Did you mean 'unet'" in capsys.readouterr().err
