"""SIGKILL at random instants: the same command goes on, and ends where it would have ended."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.records import record

KILLS = 20
# What may differ: how long things took, and a checkout in which somebody works meanwhile.
VARIES = ("seconds", "samples_per_sec", "data_wait_share", "first_step_s", "commit", "dirty")


def start(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "benchmarks", "bench", "sa_unet", "--protocol", "smoke"]
    options = ["--deterministic", "--results", str(folder / "results")]
    environment = os.environ | {
        "GLIOZOO_MACHINE": "box",
        "GLIOZOO_CACHE": str(folder.parent / "cache"),
    }
    return subprocess.Popen(
        [*command, *options],
        env=environment,
        cwd=Path(__file__).parents[3],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own, so that parent and child die together
    )


def finish(folder: Path) -> record.Record:
    process = start(folder)
    _, told = process.communicate()
    assert process.returncode == 0, told
    (path,) = (folder / "results" / "box").glob("*.json")
    return record.read(path)


def timeless(done: record.Record) -> dict:
    def without(values):
        return {name: value for name, value in values.items() if name not in VARIES}

    return dataclasses.asdict(
        dataclasses.replace(
            done,
            created="",
            command="",  # names the results folder
            seal="",  # of all, the times too
            cost={},
            environment=without(done.environment),
            history=[without(row) for row in done.history],
            training=without(done.training),
        )
    )


@pytest.mark.slow
def test_a_run_killed_at_any_instant_ends_as_the_undisturbed_one(tmp_path):
    finish(tmp_path / "warm")  # makes the phantoms
    began = time.monotonic()
    expected = timeless(finish(tmp_path / "undisturbed"))
    whole = time.monotonic() - began
    draw, kills, chain = random.Random(0), 0, 0
    while kills < KILLS:
        folder = tmp_path / f"chain{chain}"
        chain += 1
        while kills < KILLS:
            process = start(folder)
            try:
                process.communicate(timeout=draw.uniform(0, whole))
                break  # it was done first
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                kills += 1
                left = [path.name for path in folder.rglob("*.json") if path.parent.name == "box"]
                assert not left or record.read(folder / "results/box" / left[0])
        assert timeless(finish(folder)) == expected
