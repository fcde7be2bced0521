"""Every architecture is trained for seconds, from data to record: does it run at all.

`make smoke` has a process a core, each of which pays for TensorFlow once.
"""

import sys
import time

import pytest

import zoo
from benchmarks.records import record
from benchmarks.running import run
from benchmarks.running.job import Job

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("name", zoo.names())
def test_an_architecture_trains_and_is_scored(name, cache, tmp_path):
    began = time.monotonic()
    protocol = "smoke" if 2 in zoo.card(name).ranks else "smoke3d"
    job = Job(name, protocol, results=str(tmp_path), cache=str(cache), threads=1, quiet=True)
    done = record.read(run.run(job))
    assert done.status == "ok", done.error
    losses = [epoch["loss"] for epoch in done.history]
    dice = done.quality["brats"][next(iter(done.quality["brats"]))]["patient"]["dice"]["mean"]
    sys.stderr.write(f"\n{name}: loss {losses[0]:.3f} to {losses[-1]:.3f}, Dice {dice:.3f}, ")
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")
