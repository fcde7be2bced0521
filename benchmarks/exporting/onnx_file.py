"""ONNX: one file, run by onnxruntime; the facts are its `metadata_props`."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.exporting import facts as all_facts
from benchmarks.machine import optional_packages

SUFFIX = ".onnx"
NEEDS = ("onnx", "tf2onnx", "onnxruntime")
EXTRA, BACKEND = "export", "tensorflow"
ONE = "gliozoo/one"  # a constant


def write(model: Any, path: Path) -> None:
    """Write the network alone."""
    with constant_statistics(model):
        model.export(str(path), format="onnx", verbose=False)
    _write_erfc_as_erf(path)


def _write_erfc_as_erf(path: Path) -> None:
    """Let 1 - erf stand where tf2onnx wrote TensorFlow's erfc of GELU, which ONNX has not."""
    onnx = optional_packages.require("onnx", "--format onnx", EXTRA)
    network = onnx.load(str(path))
    graph, nodes = network.graph, []
    for node in graph.node:
        if node.op_type != "Erfc":
            nodes.append(node)
            continue
        inner = f"{node.output[0]}/erf"
        nodes.append(onnx.helper.make_node("Erf", node.input, [inner], f"{node.name}/erf"))
        nodes.append(onnx.helper.make_node("Sub", [ONE, inner], node.output, node.name))
    if len(nodes) == len(graph.node):
        return
    graph.initializer.append(onnx.numpy_helper.from_array(np.array(1, np.float32), ONE))
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(network, str(path))


@contextmanager
def constant_statistics(model: Any):
    """Let `Normalization` hold NumPy arrays meanwhile: tf2onnx makes inputs of captured tensors."""
    layers = [one for one in model._flatten_layers() if type(one).__name__ == "Normalization"]
    kept = [(one, one.mean, one.variance) for one in layers]
    for layer, mean, variance in kept:
        layer.mean, layer.variance = np.asarray(mean), np.asarray(variance)
    try:
        yield
    finally:
        for layer, mean, variance in kept:
            layer.mean, layer.variance = mean, variance


def embed(path: Path, facts: dict[str, Any]) -> None:
    """Write the facts into the file."""
    onnx = optional_packages.require("onnx", "--format onnx", EXTRA)
    network = onnx.load(str(path))
    del network.metadata_props[:]
    network.metadata_props.add(key=all_facts.KEY, value=all_facts.text(facts))
    onnx.save(network, str(path))


def read(path: Path) -> dict[str, Any] | None:
    """Return the facts of a file; None where it has none of ours."""
    onnx = optional_packages.require("onnx", "export show", EXTRA)
    found = {one.key: one.value for one in onnx.load(str(path)).metadata_props}
    return all_facts.parsed(found.get(all_facts.KEY))


def runner(path: Path, threads: int | None = None):
    """Return a function from a batch to its probabilities."""
    onnxruntime = optional_packages.require("onnxruntime", "--format onnx", EXTRA)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0  # 0: as many as there are cores
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})[0]
