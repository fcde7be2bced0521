"""Records told on to other tools, read back by those tools' own readers."""

import dataclasses
import subprocess
import sys

import fabricate
import pytest

from benchmarks import tracking
from benchmarks.errors import USER_ERRORS, UserError
from benchmarks.records import record, result_paths
from benchmarks.running import launch
from benchmarks.running.job import Job
from benchmarks.running.launch import Outcome
from benchmarks.tracking import facts


@pytest.fixture
def outcome(tmp_path):
    history = [
        {"epoch": 1, "loss": 0.9, "val_dice": 0.25, "seconds": 2.0, "data_wait_share": None},
        {"epoch": 2, "loss": 0.5, "val_dice": 0.75, "seconds": 1.0, "data_wait_share": 0.1},
    ]
    dice = {"mean": 0.8125, "n_used": 6, "n_total": 6}
    quality = {"brats": {"lgg": {"patient": {"dice": dice}}}}
    done = fabricate.a_record(history=history, quality=quality, training={"seconds": 3.0})
    path = record.write(done, tmp_path)
    return Outcome(Job("unet", results=str(tmp_path)), launch.FINE, path, done)


def test_settings_are_flat_and_results_are_numbers(outcome):
    settings = facts.settings(outcome.record)
    assert settings["model"] == "unet"
    assert settings["train.epochs"] == 60
    results = facts.results(outcome.record)
    assert results["test/lgg/dice"] == 0.8125
    assert results["cost/params"] == outcome.record.cost["params"]
    assert all(isinstance(value, float) for value in results.values())


def test_tensorboard_reads_what_was_written(outcome, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    told = tracking.trackers("tensorboard", tmp_path)
    for _ in range(2):  # a repeat takes the place of what was there
        tracking.publish(told, outcome)
    events = EventAccumulator(str(result_paths.run_folder(outcome.path) / "tensorboard"))
    events.Reload()
    curve = [(event.step, event.value) for event in events.Scalars("val_dice")]
    assert curve == [(1, 0.25), (2, 0.75)]
    assert [event.value for event in events.Scalars("test/lgg/dice")] == [0.8125]
    (text,) = events.Tensors("settings/text_summary")
    assert b"train.epochs: 60" in text.tensor_proto.string_val[0]


def test_mlflow_reads_what_was_written(outcome, tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracking.publish(tracking.trackers("mlflow", tmp_path), outcome)
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("gliozoo quick")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == outcome.path.stem
    assert run.data.params["train.epochs"] == "60"
    assert run.data.metrics["test/lgg/dice"] == 0.8125
    curve = client.get_metric_history(run.info.run_id, "val_dice")
    assert [(metric.step, metric.value) for metric in curve] == [(1, 0.25), (2, 0.75)]
    failed = dataclasses.replace(outcome.record, status="failed", error={"message": "killed"})
    again = dataclasses.replace(outcome, record=failed)
    tracking.publish(tracking.trackers("mlflow", tmp_path), again)
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.info.status for run in runs) == ["FAILED", "FINISHED"]


def test_a_tracker_that_fails_costs_a_warning_and_no_run(outcome, capsys):
    class ToNowhere:
        def publish(self, record, path):
            raise ConnectionError("no route to host")

    tracking.publish([ToNowhere()], outcome)
    assert capsys.readouterr().err == f"Nowhere was not told of {outcome.path.stem}: " + (
        "no route to host\n"
    )


def test_what_was_done_before_or_never_began_is_not_told(outcome):
    told = []

    class ToList:
        def publish(self, record, path):
            told.append(path)

    tracking.publish([ToList()], dataclasses.replace(outcome, repeated=False))
    tracking.publish([ToList()], dataclasses.replace(outcome, record=None))
    assert told == []
    tracking.publish([ToList()], outcome)
    assert told == [outcome.path]


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_tool_that_is_missing_is_one_sentence(name, tmp_path, monkeypatch):
    for module in [found for found in sys.modules if found.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    told = rf"--track {name} needs {name}: pip install 'gliozoo\[track\]'\."
    with pytest.raises(UserError, match=told):
        tracking.trackers(name, tmp_path)


def test_an_unknown_tool_is_one_sentence(tmp_path):
    with pytest.raises(USER_ERRORS, match="Did you mean 'mlflow'"):
        tracking.trackers("mlfow", tmp_path)


def test_nothing_is_imported_unless_it_is_asked_for():
    code = (
        "import sys; from benchmarks import tracking; assert tracking.trackers(None, '.') == [];"
        "assert not {'mlflow', 'tensorboard', 'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
