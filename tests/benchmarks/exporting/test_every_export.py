"""Every architecture in every rank and format: what works, how exactly, how fast, how large.

`GLIOZOO_WRITE_EXPORTS=1` makes it write the table of docs/export.md.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest

import zoo
from benchmarks.errors import UserError
from benchmarks.exporting import exported, parity

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[3] / "docs" / "export.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"
FORMATS = [form for form in exported.FORMATS if form != "torch"]  # it has another backend
SIDES = {2: (64, 64), 3: (32, 32, 32)}
CASES = [(name, rank) for name in zoo.names() for rank in zoo.card(name).ranks]
REFUSED = {  # by architecture, rank and format; None stands for any: each has its row in the table
    (None, 3, "litert"),  # no 3D convolution, or none of its transposes, without Flex
    ("ar2_unet", 2, "onnx"),  # 2e-3 away from its source
    ("ar2_unet", 3, "onnx"),
}
rows: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def table():
    yield
    if os.environ.get("GLIOZOO_WRITE_EXPORTS") and rows:
        text = PAGE.read_text(encoding="utf-8")
        start, stop = text.index(BEGIN) + len(BEGIN), text.index(END)
        head = "| model | rank | format | largest difference | ms a call | Keras, ms | MB |\n"
        head += "|---|---|---|---|---|---|---|\n"
        PAGE.write_text(text[:start] + head + "\n".join(rows) + "\n" + text[stop:], "utf-8")


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


@pytest.mark.parametrize(("name", "rank"), CASES)
def test_every_architecture_in_every_format(name, rank, tmp_path):
    model = zoo.create(name, (*SIDES[rank], 4), classes=2, width=0.125)
    batch = parity.inputs(model.input_shape[1:])["real_like"][:1]
    keras_ms = milliseconds(model.predict_on_batch, batch)
    for form in FORMATS:
        made = exported.module(form)
        if not all(map(pytest.importorskip, made.NEEDS)):
            continue
        out = tmp_path / form / f"model{made.SUFFIX}"
        try:
            told = exported.export(model, None, exported.Request(form, out))
        except UserError as error:
            if not {(None, rank, form), (name, rank, form)} & REFUSED:
                raise
            reason = str(error).split(":", 1)[1].strip()[:60].replace("|", "/")
            rows.append(f"| {name} | {rank} | {form} | no: {reason} | | {keras_ms:.1f} | |")
            continue
        assert exported.read(out) == told
        worst = max(told["difference"][kind] for kind in ("random", "real_like"))
        speed = milliseconds(made.runner(out), batch)
        numbers = f"{worst:.1e} | {speed:.1f} | {keras_ms:.1f} | {size_of(out):.2f}"
        rows.append(f"| {name} | {rank} | {form} | {numbers} |")
