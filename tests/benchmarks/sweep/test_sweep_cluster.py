"""What every cluster engine stands on: storage, the run on a node, the landing of its result."""

import dataclasses
import json
import sys
import textwrap

import fabricate
import pytest

from benchmarks.__main__ import main
from benchmarks.errors import UserError
from benchmarks.records import record, result_paths
from benchmarks.running import launch, settle
from benchmarks.running.job import Job
from benchmarks.sweep import plan
from benchmarks.sweep.engines import received, remote_run
from benchmarks.sweep.engines.cluster_needs import Needs
from benchmarks.sweep.engines.remote_run import Order, Result
from benchmarks.sweep.engines.storage import Storage, url_of

# A process that goes on from the checkpoints that it finds, or leaves one and dies.
RUN = textwrap.dedent(
    """
    import json, os, pathlib, sys, time
    order = json.loads(sys.argv[1])
    path = pathlib.Path(order["path"])
    folder = path.parent / "runs" / path.stem
    found = [file.name for file in folder.glob("epoch-*")]
    (folder / "epoch-00007.safetensors").write_text("seven")
    (folder / "history.csv").write_text("epoch,val_dice\\n7,0.5\\n")
    (folder / "found.json").write_text(json.dumps(found))
    time.sleep(order["seconds"])
    path.write_text(order["record"])
    """
)


@pytest.fixture
def slot(tmp_path, monkeypatch):
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")
    fabricate.no_data(monkeypatch)
    pattern = Job("", "smoke", results=str(tmp_path / "results"))
    return plan.make(pattern, "unet", "0", "0").waiting[0]


@pytest.fixture
def pretended(monkeypatch, slot):
    """Replace the process of a run; `order` says how long it takes."""
    order = {"seconds": 0}

    def command(job):
        own = settle.slot(job)
        made = fabricate.a_record(job.model, machine="node7")
        made = dataclasses.replace(
            made, run=own.run, protocol_digest=own.protocol.digest, command=job.command
        )
        told = order | {"path": str(own.path), "record": record.to_json(made)}
        return [sys.executable, "-c", RUN, json.dumps(told)]

    monkeypatch.setattr(launch, "command", command)
    return order


def fill(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", "-").replace("_", ".")).write_text(content)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_checkpoints_travel_through_the_storage_and_old_ones_leave_it(tmp_path):
    here, there, store = tmp_path / "here", tmp_path / "there", tmp_path / "store"
    fill(here, epoch__1_safetensors="one", epoch__2_safetensors="two", history_csv="h", log_txt="l")
    storage = Storage(store.as_uri())
    storage.push(here)
    assert names(store) == ["epoch-1.safetensors", "epoch-2.safetensors", "history.csv"]
    (here / "epoch-1.safetensors").unlink()
    fill(here, epoch__3_safetensors="three", history_csv="hh")
    storage.push(here)
    Storage(str(store)).pull(there)
    assert names(there) == ["epoch-2.safetensors", "epoch-3.safetensors", "history.csv"]
    assert (there / "history.csv").read_text() == "hh"
    storage.clear(keep=("history.csv",))
    assert names(store) == ["history.csv"]
    storage.clear()
    assert not store.exists()


def test_only_what_has_changed_is_pushed(tmp_path):
    here, store = tmp_path / "here", tmp_path / "store"
    fill(here, epoch__1_safetensors="one")
    storage = Storage(str(store))
    storage.push(here)
    (store / "epoch-1.safetensors").write_text("marked")
    storage.push(here)
    assert (store / "epoch-1.safetensors").read_text() == "marked"


def test_an_empty_storage_is_a_fresh_start(tmp_path):
    Storage(str(tmp_path / "nothing")).pull(tmp_path / "here")
    assert names(tmp_path / "here") == []


def test_a_storage_that_nobody_knows_is_one_sentence():
    with pytest.raises(UserError, match=r"--storage nowhere://there: "):
        Storage("nowhere://there")
    assert url_of("s3://bucket/sweep/", "unet-s0") == "s3://bucket/sweep/unet-s0"


def test_a_run_on_a_node_goes_on_from_the_storage(slot, pretended, tmp_path):
    store = tmp_path / "store"
    fill(store, epoch__00005_safetensors="five")
    result = remote_run.attempt(Order(slot.job, str(store)))
    assert result.code == launch.FINE
    assert json.loads(result.files["found.json"]) == ["epoch-00005.safetensors"]
    assert set(result.files) == {"found.json", "history.csv", "log.txt"}
    forced = remote_run.attempt(Order(dataclasses.replace(slot.job, force=True), str(store)))
    assert json.loads(forced.files["found.json"]) == []


def test_a_run_on_a_node_goes_by_the_name_that_the_driver_gives_it(slot, pretended, tmp_path):
    order = Order(slot.job, str(tmp_path / "store"), {"GLIOZOO_MACHINE": "node9"})
    result = remote_run.attempt(order)
    assert (result.code, result.record is not None) == (launch.FINE, True)


def test_what_a_run_reaches_is_in_the_storage_while_it_runs(slot, pretended, tmp_path, monkeypatch):
    monkeypatch.setattr(remote_run, "PUSH", 0.05)
    pretended["seconds"] = 0.5
    remote_run.attempt(Order(slot.job, str(tmp_path / "store")))
    assert names(tmp_path / "store") == ["epoch-00007.safetensors", "history.csv"]


def test_a_storage_out_of_reach_costs_no_run(slot, pretended, tmp_path, monkeypatch, capsys):
    def unreachable(self, folder):
        raise OSError("no route to host")

    monkeypatch.setattr(Storage, "push", unreachable)
    monkeypatch.setattr(remote_run, "PUSH", 0.05)
    pretended["seconds"] = 0.3
    assert remote_run.attempt(Order(slot.job, str(tmp_path / "store"))).code == launch.FINE
    assert "is not in the storage: no route to host" in capsys.readouterr().err


def test_a_storage_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / "here").mkdir()
    storage = Storage(str(tmp_path / "store"))
    fill(tmp_path / "store", history_csv="h")
    (tmp_path / "here" / ".history.csv.pulled").mkdir()  # in the way
    with pytest.raises(UserError, match="Cannot read --storage"):
        storage.pull(tmp_path / "here")


def test_a_result_lands_under_the_machine_that_it_is_of(slot, pretended, tmp_path):
    result = remote_run.attempt(Order(slot.job, str(tmp_path / "store")))
    fill(slot.folder, unfinished_json="{}")  # where a sweep looked at it
    outcome = received.land(slot, result)
    assert names(slot.folder) == []
    assert outcome.path == tmp_path / "results" / "node7" / slot.path.name
    found = record.read(outcome.path)
    assert found == outcome.record
    assert found.command == slot.job.command, "the scratch folder is nobody's business"
    folder = result_paths.run_folder(outcome.path)
    assert names(folder) == ["found.json", "history.csv", "log.txt", "record.json"]
    assert record.read(folder / "record.json") == found


def test_a_refused_run_lands_as_its_reason(slot):
    outcome = received.land(slot, Result(launch.USER, None, {"log.txt": b"gliozoo: no such data"}))
    assert outcome.record is None
    assert (slot.folder / "log.txt").read_text() == "gliozoo: no such data"
    assert not slot.path.exists()


@pytest.mark.parametrize("needs", [{"cpus": 0}, {"gpus": 1.5}, {"gpus": -1}, {"memory_gb": -1}])
def test_needs_that_nothing_can_meet_are_one_sentence(needs):
    with pytest.raises(UserError, match="Expected --"):
        Needs(**needs)


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [(["--executor", "ray"], "ray", "ray"), (["--executor", "slurm"], "submitit", "slurm")],
)
def test_a_missing_extra_is_one_sentence(words, package, extra, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    command = ["sweep", "--models", "unet", "--protocol", "smoke", "--results", str(tmp_path)]
    assert main([*command, *words]) == 2
    told = capsys.readouterr().err
    assert told == f"gliozoo: {' '.join(words)} needs {package}: pip install 'gliozoo[{extra}]'.\n"


def test_nothing_of_an_engine_is_imported_unless_it_is_asked_for():
    code = (
        "import sys; from benchmarks.commands import sweep, bench;"
        "from benchmarks.sweep.engines import local;"
        "from benchmarks.sweep import plan, summary, watch;"
        "engines = {'ray', 'submitit', 'mlflow', 'tensorboard', 'fsspec', 'keras', 'tensorflow'};"
        "assert not engines & set(sys.modules), engines & set(sys.modules)"
    )
    import subprocess

    subprocess.run([sys.executable, "-c", code], check=True)
