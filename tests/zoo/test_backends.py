"""The same weights give the same output on TensorFlow, JAX and torch."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import CASES

pytestmark = pytest.mark.backends

BACKENDS = ("tensorflow", "jax", "torch")
# Untrained, its inverse transforms gather thousands of frequencies in one voxel, block for block,
# and float32's rounding with them: 2e-3 on TensorFlow and 1e-4 on torch off the answer in float64.
# The larger `mednext` are deep: `medium` in 3D on TensorFlow lies 1.6e-4 off the answer in float64.
CLOSE = {"hnoseg_xs": 5e-3, "mednext": 5e-4}
# One process a backend: build everything, load the weights that the first one saved, predict.
SCRIPT = """
import sys
sys.path[:0] = sys.argv[2:3]
if {block}:
    class Without:
        '''The finders that are there, blind to TensorFlow: as if it were not installed.'''
        def __init__(self, finders):
            self.finders = finders
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "tensorflow":
                return None
            found = (finder.find_spec(name, path, target) for finder in self.finders)
            return next(filter(None, found), None)
        def find_distributions(self, *context):
            for finder in self.finders:
                yield from getattr(finder, "find_distributions", lambda *_: [])(*context)
    sys.meta_path[:] = [Without(list(sys.meta_path))]
from pathlib import Path
import keras, numpy as np, zoo
from cases import CASES
from zoo import weights
folder, outputs = Path(sys.argv[1]), {{}}
for case in CASES:
    keras.utils.set_random_seed(5)
    # Volumes of 32: at 16 the bottleneck is one voxel, and BatchNorm divides by next to nothing.
    shape = (*(32,) * case.rank, 3)
    model = zoo.create(case.name, shape, 2, case.variant, 0.125)
    file = folder / f"{{case}}.safetensors"
    x = np.random.default_rng(1).random((2, *shape), "float32")
    if file.exists():
        weights.load(model, file)
    else:
        # Statistics as training leaves them: an untrained BatchNorm normalises nothing, and what a
        # recurrent block adds up then grows until float32 has no digit left behind the point. By
        # half only: deep in an encoder a batch of two has next to no variance to divide by.
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.5
        model(x, training=True)
        weights.save(model, file)
    outputs[str(case)] = keras.ops.convert_to_numpy(model(x, training=False))
    keras.backend.clear_session()
assert ("tensorflow" in sys.modules) != {block}
np.savez(folder / f"{{keras.backend.backend()}}.npz", **outputs)
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> dict[str, dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp("backends")
    for backend in BACKENDS:
        module = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}[backend]
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{backend} is not installed: make test-backends installs it")
        script = SCRIPT.format(block=backend != "tensorflow")
        command = [
            sys.executable,
            "-c",
            script,
            str(folder),
            str(Path(__file__).parents[1] / "makers"),
        ]
        subprocess.run(command, check=True, env=os.environ | {"KERAS_BACKEND": backend})
    return {backend: dict(np.load(folder / f"{backend}.npz")) for backend in BACKENDS}


@pytest.mark.parametrize("backend", BACKENDS[1:])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_same_weights_give_the_same_output(outputs, backend, case):
    ours, theirs = outputs["tensorflow"][str(case)], outputs[backend][str(case)]
    assert np.ptp(ours) > 1e-3, "a constant output would agree with anything"
    assert np.abs(ours - theirs).max() <= CLOSE.get(case.name, 1e-4)
