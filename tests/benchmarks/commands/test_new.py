"""What `gliozoo new` writes works as it is."""

import pytest

from benchmarks import starters
from benchmarks.__main__ import main
from benchmarks.contract.one_backend import tried
from benchmarks.protocols import own_metric, protocol
from benchmarks.scoring import metrics, policies
from benchmarks.training import losses
from data_pipeline.formats import dataset_toml


def new(kind: str, path) -> int:
    return main(["new", kind, str(path)])


def test_a_new_model_keeps_the_contract_in_2d_and_builds_in_3d(tmp_path):
    import zoo

    assert new("model", tmp_path / "mine.py") == 0
    told = dict(tried(str(tmp_path / "mine.py"), seconds=0, whole=False))
    assert told
    assert not any(told.values()), told
    volume = zoo.create(str(tmp_path / "mine.py"), (16, 16, 16, 2), 4, width=0.25)
    assert volume.output_shape == (None, 16, 16, 16, 4)


def test_a_new_protocol_is_its_base(tmp_path):
    assert new("protocol", tmp_path / "mine.toml") == 0
    found = protocol.shipped(str(tmp_path / "mine.toml"))
    assert found.digest == protocol.shipped("quick").digest


def test_a_new_dataset_describes_what_its_comments_say(tmp_path):
    assert new("dataset", tmp_path / "set") == 0
    found = dataset_toml.read(tmp_path / "set")
    assert found.channels == ("flair", "t1ce")
    assert found.regions == {"WT": (1, 2), "ET": (2,)}


def test_a_new_loss_is_one(tmp_path):
    import numpy as np

    assert new("loss", tmp_path / "losses.py") == 0
    loss = losses.create(f"{tmp_path / 'losses.py'}:mine")
    y, p = np.ones((2, 3, 1), "float32"), np.full((2, 3, 1), 0.5, "float32")
    np.testing.assert_allclose(loss(y, p), [0.25, 0.25])


def test_a_new_metric_is_one(tmp_path):
    import numpy as np

    assert new("metric", tmp_path / "metrics.py") == 0
    (mine,) = own_metric.load([f"{tmp_path / 'metrics.py'}:mine"])
    reference, prediction = np.zeros((2, 4, 4, 4), dtype=bool)
    reference[1, 1, 1] = prediction[1, 1, 3] = True
    asked = reference, prediction, (3.0, 0.5, 0.5)
    row = own_metric.add([mine], metrics.measure(*asked), *asked)
    assert policies.values(row, "brats")["x_mine"] == 1.0


@pytest.mark.parametrize("kind", starters.KINDS)
def test_nothing_is_overwritten(kind, tmp_path, capsys):
    name = "mine" + (".py" if "py" in starters.KINDS[kind] else ".toml")
    assert new(kind, tmp_path / name) == 0
    assert new(kind, tmp_path / name) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_name_of_another_kind_is_refused(tmp_path, capsys):
    assert new("model", tmp_path / "mine.toml") == 2
    assert "ends in .py" in capsys.readouterr().err
