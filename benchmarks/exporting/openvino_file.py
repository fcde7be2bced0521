"""OpenVINO: an .xml file with its .bin; the facts are its `rt_info`.

Where a processor has bf16, OpenVINO computes in it unless told otherwise, with differences up to 1:
whoever wants the network's own answers states INFERENCE_PRECISION_HINT=f32.
"""

from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.exporting import facts as all_facts
from benchmarks.machine import optional_packages

SUFFIX = ".xml"
NEEDS = ("openvino",)
EXTRA, BACKEND = "openvino", "tensorflow"
PRECISIONS = {"f32": "FP32", "bf16": "BF16"}  # as hints name them, and as processors say they can


def write(model: Any, path: Path) -> None:
    """Write the network alone, its weights as float32."""
    model.export(str(path), format="openvino", verbose=False)


def embed(path: Path, facts: dict[str, Any]) -> None:
    """Write the facts into the file."""
    openvino = _openvino()
    aside = path.with_name(f"aside{SUFFIX}")
    network = openvino.Core().read_model(str(path))
    network.set_rt_info(all_facts.text(facts), [all_facts.KEY])
    openvino.save_model(network, str(aside), compress_to_fp16=False)
    del network  # it reads from the file that is replaced
    for suffix in (".bin", SUFFIX):
        aside.with_suffix(suffix).replace(path.with_suffix(suffix))


def read(path: Path) -> dict[str, Any] | None:
    """Return the facts of a file; None where it has none of ours."""
    network = _openvino().Core().read_model(str(path))
    if not network.has_rt_info([all_facts.KEY]):
        return None
    return all_facts.parsed(network.get_rt_info([all_facts.KEY]).astype(str))


def runner(path: Path, threads: int | None = None, precision: str = "f32"):
    """Return a function from a batch to its probabilities, computed in float32 unless asked."""
    core = _openvino().Core()
    if PRECISIONS[precision] not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise UserError(f"this processor does not compute in {precision}")
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": precision}
    settings |= {"INFERENCE_NUM_THREADS": threads} if threads else {}
    network = core.compile_model(str(path), "CPU", settings)
    return lambda batch: network(batch)[0]


def _openvino():
    return optional_packages.require("openvino", "--format openvino", EXTRA)
