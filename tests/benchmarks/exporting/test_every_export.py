"""Every architecture in every rank and format: what works, how exactly, how fast, how large.

`make exports` runs it, and has it write what it tried into the table of docs/export.md.
"""

import os
import time
from pathlib import Path

import keras
import numpy as np
import pages
import pytest
from keras.config import backend

import zoo
from benchmarks.errors import UserError
from benchmarks.exporting import exported, parity

pytestmark = pytest.mark.slow
PAGE, COMMAND = Path(__file__).parents[3] / "docs" / "export.md", "make exports"
HEAD = (
    "| model | rank | format | largest difference | ms a call | Keras, ms | MB |\n"
    "|---|--:|---|--:|--:|--:|--:|\n"
)
FORMATS = [form for form in exported.FORMATS if backend() == exported.module(form).BACKEND]
SIDES = {2: (64, 64), 3: (32, 32, 32)}
CASES = [(name, rank) for name in zoo.names() for rank in zoo.card(name).ranks]
LITE_3D = ("hnoseg_xs", "mednext", "segresnet", "vnet")
LITERT_3D = "without Flex LiteRT lacks 3D convolutions, or their transposes"
NARROW = "tf2onnx gives a transposed convolution narrower than its stride negative margins"
REFUSED = {  # by architecture, rank and format: why
    **{(name, 3, "litert"): LITERT_3D for name, rank in CASES if rank == 3 and name not in LITE_3D},
    ("mednext", 3, "onnx"): NARROW,
}
# Untrained, channels of a few voxels hardly vary, and an instance norm multiplies what they do by
# up to 316: the formats' own rounding, too.
LOOSE = dict.fromkeys(("nnunet", "segresnet", "mednext", "swin_unetr", "unetr"), 1e-3)
LOOSE["hnoseg_xs"] = 5e-3  # its card says why
ULP = np.float32(2**-23)
OWN = 4  # times as far as the network moves by itself when its inputs' last bits do
KEYS = [(name, str(rank), form) for name, rank in CASES for form in exported.FORMATS]
rows: dict[tuple[str, str, str], str] = {}


@pytest.fixture(scope="module", autouse=True)
def table():
    """Write what was tried beside what the table has of the others."""
    lines = pages.table_of(PAGE, COMMAND).splitlines(keepends=True)[2:]
    yield
    if os.environ.get("GLIOZOO_WRITE_EXPORTS"):
        known = {tuple(map(str.strip, line.split("|")[1:4])): line for line in lines} | rows
        pages.put(PAGE, COMMAND, HEAD + "".join(known[key] for key in KEYS if key in known))


def milliseconds(network, batch: np.ndarray) -> float:
    network(batch)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        network(batch)
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def size_of(out: Path) -> float:
    files = [path for path in out.parent.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files) / 1e6


def settled(name: str, rank: int) -> keras.Model:
    """Return a network whose moving statistics are of signals that pass it, as after a training."""
    keras.utils.set_random_seed(0)
    model = zoo.create(name, (*SIDES[rank], 4), classes=2, width=0.125)
    norms = [
        one for one in model._flatten_layers() if isinstance(one, keras.layers.BatchNormalization)
    ]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    for batch in parity.inputs(model.input_shape[1:]).values():
        model(batch, training=True)
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
    return model


def own_movement(model: keras.Model) -> float:
    """Return how far answers move when the last bit of each input does."""
    draw = np.random.default_rng(1)
    moved = []
    for batch in parity.inputs(model.input_shape[1:]).values():
        nudged = batch * (1 + ULP * draw.choice([-1, 1], batch.shape).astype(np.float32))
        apart = model.predict_on_batch(batch) - model.predict_on_batch(nudged)
        moved.append(float(np.abs(apart).max()))
    return max(moved)


@pytest.mark.parametrize(("name", "rank"), CASES)
def test_every_architecture_in_every_format(name, rank, tmp_path):
    model = settled(name, rank)
    limit = max(LOOSE.get(name, parity.LIMIT), OWN * own_movement(model))
    batch = parity.inputs(model.input_shape[1:])["real_like"][:1]
    keras_ms = milliseconds(model.predict_on_batch, batch)
    unexpected = []
    for form in FORMATS:
        made = exported.module(form)
        if not all(map(pytest.importorskip, made.NEEDS)):
            continue
        key = (name, str(rank), form)
        head, out = " | ".join(key), tmp_path / form / f"model{made.SUFFIX}"
        try:
            told = exported.export([model], None, exported.Request(form, out, limit))
        except UserError as error:
            why = REFUSED.get((name, rank, form))
            unexpected += [] if why else [str(error)]
            rows[key] = f"| {head} | no: {why or 'see the test'} | | {keras_ms:.1f} | |\n"
            continue
        assert (name, rank, form) not in REFUSED
        assert exported.read(out) == told
        worst = max(told["difference"][kind] for kind in ("random", "real_like"))
        speed = milliseconds(made.runner(out), batch)
        numbers = f"{worst:.1e} | {speed:.1f} | {keras_ms:.1f} | {size_of(out):.2f}"
        rows[key] = f"| {head} | {numbers} |\n"
    assert not unexpected
