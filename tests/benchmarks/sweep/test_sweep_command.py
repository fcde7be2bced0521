"""`gliozoo sweep` as a user types it, over processes that pretend to be runs."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import fabricate
import pytest

from benchmarks.__main__ import main
from benchmarks.records import record
from benchmarks.running import launch, settle

WRITE = (
    "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2]);"
    'sys.exit(\'\\n "status": "failed"\' in sys.argv[2])'
)
REFUSE = "import sys; print('gliozoo: there is no such folder'); sys.exit(2)"


@pytest.fixture
def sweep(monkeypatch, tmp_path):
    """Return `gliozoo sweep` with some options; `endings` says how each model's runs end."""
    monkeypatch.setenv("GLIOZOO_MACHINE", "box")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    fabricate.no_data(monkeypatch)
    endings = {}

    def command(job):
        ending = endings.get(job.model, "ok")
        if ending == "refused":
            return [sys.executable, "-c", REFUSE]
        slot = settle.slot(job)
        changes = {"error": {"message": "out of memory"}} if ending == "failed" else {}
        made = fabricate.a_record(
            job.model, machine="box", status=ending, training={"seconds": 1.0}, **changes
        )
        made = dataclasses.replace(made, run=slot.run, protocol_digest=slot.protocol.digest)
        return [sys.executable, "-c", WRITE, str(slot.path), record.to_json(made)]

    monkeypatch.setattr(launch, "command", command)
    results = ["--results", str(tmp_path / "results"), "--protocol", "smoke"]
    return (lambda *words: main(["sweep", *results, *words])), endings


def test_a_sweep_runs_what_is_missing_and_then_nothing(sweep, capsys):
    run, _ = sweep
    assert run("--models", "unet,sa_unet", "--seeds", "0-1") == 0
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0] == "4 queued, 0 running, 0 done, 0 failed"
    assert lines[1] == "[1/4] unet s0 f0: Dice 0.800, trained 1 s"
    assert len(lines) == 5
    assert "sa_unet" in out
    assert run("--models", "unet,sa_unet", "--seeds", "0-2", "--json") == 0
    out, err = capsys.readouterr()
    states = [(row["model"], row["seed"], row["state"]) for row in json.loads(out)]
    assert states == [
        ("unet", 0, "done before"),
        ("sa_unet", 0, "done before"),
        ("unet", 1, "done before"),
        ("sa_unet", 1, "done before"),
        ("unet", 2, "done"),
        ("sa_unet", 2, "done"),
    ]
    assert all(Path(row["record"]).exists() for row in json.loads(out))
    assert err.splitlines()[0] == "2 queued, 0 running, 4 done (4 before), 0 failed"


def test_failures_are_told_the_others_go_on_and_they_are_tried_again(sweep, capsys):
    run, endings = sweep
    endings["unet"] = "failed"
    assert run("--models", "unet,sa_unet") == 1
    out, err = capsys.readouterr()
    assert "unet s0 f0: failed: out of memory" in err
    assert "sa_unet s0 f0: Dice 0.800" in err
    assert "The same command runs again what failed or is left." in out
    endings.clear()
    assert run("--models", "unet,sa_unet") == 0
    assert "[1/1] unet s0 f0: Dice 0.800" in capsys.readouterr().err


def test_one_refusal_is_one_runs_own_three_end_the_sweep(sweep, capsys):
    run, endings = sweep
    endings["unet"] = "refused"
    assert run("--models", "unet,sa_unet") == 2
    err = capsys.readouterr().err
    assert "unet s0 f0: not run: there is no such folder" in err
    assert "sa_unet s0 f0: Dice" in err
    assert run("--models", "unet", "--seeds", "0-9", "--json") == 2
    out, err = capsys.readouterr()
    assert "The sweep stops here" in err
    assert [row["state"] for row in json.loads(out)] == ["refused"] * 3 + ["left"] * 7


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--seeds", "a"], "Expected --seeds like 0,1,2 or 0-4"),
        (["--models", "unte"], "Did you mean 'unet'?"),
        (["--jobs", "0"], "Expected --jobs"),
        (["--gpus", "1", "--memory", "8"], "--gpus, --memory asks something of a cluster"),
    ],
)
def test_mistakes_are_one_sentence(sweep, capsys, words, sentence):
    run, _ = sweep
    assert run(*words) == 2
    assert sentence in capsys.readouterr().err


SLEEPER = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as whatever a script starts behind its `&`
from benchmarks.running import launch
from benchmarks.__main__ import main
launch.command = lambda job: [sys.executable, "-c", "import time; print(1); time.sleep(99)"]
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.usefixtures("keras_elsewhere")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_no_process_behind(tmp_path, number):
    words = ["sweep", "--models", "unet", "--seeds", "0-9", "--protocol", "smoke", "--jobs", "2"]
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER, *words, "--results", str(tmp_path)],
        env=os.environ | {"GLIOZOO_MACHINE": "box"},
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(list(tmp_path.rglob("log.txt"))) < 2:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "gliozoo: interrupted; the same command goes on from here."
    assert not [
        path
        for path in Path("/proc").glob("[0-9]*/environ")
        if f"GLIOZOO_PARENT={process.pid}".encode() in _content(path)
    ]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
