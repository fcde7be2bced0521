"""Two JAX processes on loopback train one model: they agree, and with a single process too."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TRAIN = """
import json, sys
cache, address, count, number = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
from benchmarks.backends import device, several_hosts
device.select_backend("jax")
if count > 1:
    several_hosts.join(address, count, number)
import numpy, tiny
from benchmarks.training import train

data = tiny.load(cache)
protocol = tiny.protocol(clip_norm=0.05)
with several_hosts.spread():
    model = tiny.network(dropout=0.0)
    learner, _ = train.compile_model(model, data, protocol, jit=True)
    history = learner.fit(
        several_hosts.own_part(data.training_batches(0)),
        epochs=protocol.train.epochs,
        steps_per_epoch=data.steps_per_epoch,
        shuffle=False,
        verbose=0,
    )
    weights = [numpy.asarray(variable.value).ravel() for variable in model.variables]
told = {"losses": history.history["loss"], "weights": numpy.concatenate(weights).tolist()}
print(json.dumps(told))
"""


def start(cache: Path, address: str, count: int, number: int) -> subprocess.Popen:
    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(root / "tests" / "makers"), str(root)])
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(cache), address, str(count), str(number)],
        env=os.environ | {"PYTHONPATH": paths, "KERAS_BACKEND": "jax"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> dict:
    out, told = process.communicate(timeout=600)
    assert process.returncode == 0, told
    return json.loads(out.splitlines()[-1])


@pytest.mark.backends
def test_two_processes_train_one_model(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    alone = finish(start(tmp_path, address, 1, 0))  # prepares the data, too
    processes = [start(tmp_path, address, 2, number) for number in range(2)]
    first, second = map(finish, processes)
    assert first == second, "both hold the same model"
    assert first["losses"] == pytest.approx(alone["losses"], abs=1e-4)
    assert np.allclose(first["weights"], alone["weights"], atol=1e-3)
    assert alone["losses"][-1] < alone["losses"][0]
