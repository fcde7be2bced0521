"""Two devices train as one does: same batches, same losses, same weights."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny

from benchmarks.backends import device, several_devices
from benchmarks.errors import UserError

# A training in a process of its own: devices are settled before a backend starts.
TRAIN = """
import json, sys
folder, backend, count, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
from benchmarks.backends import device, several_devices
device.select_backend(backend)
several_devices.expose(count)
import keras, numpy, tiny
from benchmarks.training import train
from benchmarks.training.checkpoint import Checkpoints
from benchmarks.training.display import Display
from pathlib import Path

data = tiny.load(folder + "/cache")
protocol = tiny.protocol(epochs=6, clip_norm=0.05)
with several_devices.spread(count):
    model = tiny.network(dropout=0.0)
    checkpoints = Checkpoints(Path(folder), {})
    state = train.train(model, data, protocol, checkpoints, Display(), jit=backend == "jax")
    probabilities = model.predict_on_batch(numpy.ones((4, 16, 16, 3), "float32"))[:4]
print(json.dumps({
    "losses": [row["loss"] for row in state.history],
    "dice": [row["val_dice"] for row in state.history],
    "weights": [numpy.asarray(weight).ravel().tolist() for weight in model.get_weights()],
    "probabilities": numpy.asarray(probabilities).ravel().tolist(),
}))
"""


def trained(folder: Path, backend: str, count: int) -> dict:
    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(root / "tests" / "makers"), str(root)])
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(folder), backend, str(count)],
        env=os.environ | {"PYTHONPATH": paths, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("tensorflow", marks=pytest.mark.slow),
        pytest.param("jax", marks=pytest.mark.backends),
    ],
)
def test_two_devices_train_as_one(backend, tmp_path):
    one, two = (trained(tmp_path / str(count), backend, count) for count in (1, 2))
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-4)
    assert two["dice"] == pytest.approx(one["dice"], abs=1e-3)
    assert np.allclose(two["probabilities"], one["probabilities"], atol=1e-3)
    assert one["losses"][-1] < one["losses"][0]


def test_batches_that_do_not_divide_are_one_sentence(tmp_path):
    data = tiny.load(tmp_path)
    several_devices.require_equal_parts(2, tiny.PROTOCOL, data)
    with pytest.raises(UserError, match=r"batch to divide by --devices 3\. Received: 4 samples"):
        several_devices.require_equal_parts(3, tiny.PROTOCOL, data)
    spec = dataclasses.replace(tiny.PROTOCOL.data, drop_last=False, batch_size=8)
    ragged = tiny.load(tmp_path, spec)
    rest = len(ragged.pipelines["train"].sampler) % 8
    assert rest % 8, "the data of this test should leave a rest"
    count = next(count for count in (2, 4, 8) if rest % count)
    with pytest.raises(UserError, match="the training's last batch to divide"):
        several_devices.require_equal_parts(count, tiny.PROTOCOL, ragged)


@pytest.mark.parametrize(
    ("backend", "count", "sentence"),
    [("tensorflow", 0, "--devices of 1 or more"), ("torch", 2, "torch trains on one device")],
)
def test_what_cannot_be_exposed_is_one_sentence(backend, count, sentence, monkeypatch):
    monkeypatch.setattr(device, "backend", lambda: backend)
    with pytest.raises(UserError, match=sentence):
        several_devices.expose(count)


def test_several_hosts_under_tensorflow_are_refused_with_the_reason(monkeypatch):
    monkeypatch.setattr(device, "backend", lambda: "tensorflow")
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(UserError, match=r"MultiWorkerMirroredStrategy \(keras-team/keras#20585\)"):
        several_devices.expose(2)
