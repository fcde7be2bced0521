"""Losses from files: added to the others, known by their source in the protocol's digest."""

import numpy as np
import pytest

from benchmarks.errors import UserError
from benchmarks.protocols import protocol
from benchmarks.training import losses

MINE = """
from keras import ops


def mine(y, p, power: float = 1.0):
    return ops.mean(ops.abs(y - p) ** power, axis=(1, 2))
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "losses.py").write_text(MINE)
    (tmp_path / "p.toml").write_text(
        'base = "quick"\n[train]\nloss = "./losses.py:mine+dice"\nloss_settings = {power = 2.0}\n'
    )
    return tmp_path


def test_a_loss_of_a_file_is_added_to_the_others(folder):
    found = protocol.shipped(str(folder / "p.toml"))
    loss = losses.create(found.train.loss, found.train.loss_settings)
    y = np.array([[[1.0], [0.0]], [[0.0], [0.0]]], "float32")
    p = np.array([[[0.5], [0.5]], [[0.0], [1.0]]], "float32")
    dice = losses.create("dice")
    np.testing.assert_allclose(
        np.asarray(loss(y, p)) - np.asarray(dice(y, p)), [0.25, 0.5], atol=1e-6
    )


def test_the_source_is_in_the_digest_and_the_path_is_not(folder, tmp_path_factory):
    first = protocol.shipped(str(folder / "p.toml"))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("losses.py", "p.toml"):
        (elsewhere / name).write_text((folder / name).read_text())
    assert protocol.shipped(str(elsewhere / "p.toml")).digest == first.digest
    assert first.as_json()["train"]["loss"].startswith("losses.py:mine@")
    (elsewhere / "losses.py").write_text(MINE + "# changed\n")
    assert protocol.shipped(str(elsewhere / "p.toml")).digest != first.digest


def test_what_is_shown_reads_the_same_source_again_and_no_other(folder):
    from benchmarks.protocols import toml_file

    first = protocol.shipped(str(folder / "p.toml"))
    (folder / "again.toml").write_text(toml_file.text("again", first.as_json()))
    assert protocol.shipped(str(folder / "again.toml")).digest == first.digest
    (folder / "losses.py").write_text(MINE + "# changed\n")
    with pytest.raises(UserError, match="another source"):
        _ = protocol.shipped(str(folder / "again.toml")).digest


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "gliozoo new loss"),
        ("def other(y, p): pass", "no function 'mine'; it has other"),
        ("def def", "is not Python"),
        ("1 / 0\n" + MINE, "raises ZeroDivisionError"),
    ],
)
def test_a_file_that_is_no_loss_is_refused(folder, source, said):
    path = folder / "losses.py"
    path.unlink() if source is None else path.write_text(source)
    with pytest.raises(UserError, match=said):
        losses.create(f"{path}:mine")


def test_settings_that_no_part_takes_are_refused(folder):
    with pytest.raises(ValueError, match="setting of the loss"):
        losses.create(f"{folder / 'losses.py'}:mine", {"powr": 2})
