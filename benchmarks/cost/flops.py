"""Multiply-adds of a Keras model, counted per layer call without running it.

The graph is walked, so a layer called three times costs three times its multiply-adds and its
parameters once. What a call costs stands in `flops_rules`; a weighted layer without a rule there is
an error, never a zero.
"""

import itertools
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from benchmarks.cost import flops_rules as rules
from benchmarks.cost.flops_rules import Call, Shape
from benchmarks.errors import UserError

# Calls that a graph shows and no machine carries out: they neither read nor write.
MOVES_NOTHING = frozenset({"InputLayer", "Identity", "Dropout", "DropBlock", "Reshape", "Flatten"})


@dataclass(frozen=True)
class Row:
    """What one call of a layer costs; a shared layer's parameters stand at its first call."""

    name: str
    kind: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    macs: int
    other: int
    params: int

    @property
    def elements(self) -> int:
        """Return the numbers that the call reads and writes besides its weights."""
        return sum(math.prod(shape) for shape in (*self.inputs, *self.outputs))


@dataclass(frozen=True)
class Count:
    """A model's cost at one input shape and a batch of one; `guessed` names unlisted operations.

    `other` are the operations that are no multiply-adds; a guessed one has one per output element.
    """

    params: int
    params_trainable: int
    macs: int
    other: int
    rows: tuple[Row, ...]
    guessed: tuple[str, ...]


def count(model: keras.Model, input_shape: Sequence[int] | None = None) -> Count:
    """Count a model at its own input shape, or at another one that it accepts."""
    seen: set[int] = set()
    rows = []
    for call in calls(model, input_shape):
        params = 0 if id(call.operation) in seen else _params(call.operation)
        seen.add(id(call.operation))
        rows.append(_row(call, params))
    return Count(
        params=model.count_params(),
        params_trainable=sum(math.prod(weight.shape) for weight in model.trainable_weights),
        macs=sum(row.macs for row in rows),
        other=sum(row.other for row in rows),
        rows=tuple(rows),
        guessed=tuple(sorted({row.kind for row in rows if not _known(row.kind)})),
    )


def _row(call: Call, params: int) -> Row:
    """Apply the rules to one call."""
    weighted = bool(getattr(call.operation, "weights", ()))
    if call.kind in rules.PRODUCTS or (weighted and not _known(call.kind)):
        raise UserError(
            f"The layer {call.name!r} ({call.kind}) has weights or multiplies matrices, and there "
            "is no rule for its cost: add one to benchmarks/cost/flops_rules.py."
        )
    macs = rules.MACS[call.kind](call) if call.kind in rules.MACS else 0
    return Row(call.name, call.kind, call.inputs, call.outputs, macs, _other(call), params)


def _known(kind: str) -> bool:
    return kind in rules.MACS or kind in rules.OTHER or kind in rules.FREE


def _other(call: Call) -> int:
    if call.kind in rules.FREE:
        return 0
    if call.kind in rules.OTHER:
        return rules.OTHER[call.kind](call)
    return sum(math.prod(shape) for shape in call.outputs)


def _params(operation: Any) -> int:
    return operation.count_params() if isinstance(operation, keras.layers.Layer) else 0


def calls(model: keras.Model, input_shape: Sequence[int] | None = None) -> Iterator[Call]:
    """Yield every call of the graph in order, those of nested models too, at a batch of one."""
    graph = _graph(model)
    if graph is None:
        raise UserError(
            f"The model {model.name!r} has no graph to count: expected a Functional or Sequential "
            f"model that is built. Received: {type(model).__name__}."
        )
    inputs = [
        keras.KerasTensor((1, *shape), dtype=tensor.dtype)
        for tensor, shape in zip(graph.inputs, _shapes(graph, input_shape), strict=True)
    ]
    yield from _walk(graph, inputs, prefix="")


def _graph(layer: Any) -> Any:
    """Return the graph of nodes of a Functional or Sequential model; None for anything else."""
    if isinstance(layer, keras.Sequential):
        return getattr(layer, "_functional", None)
    return layer if isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth") else None


def _shapes(graph: Any, input_shape: Sequence[int] | None) -> list[tuple[int, ...]]:
    own = [tuple(tensor.shape[1:]) for tensor in graph.inputs]
    shapes = own if input_shape is None else [tuple(input_shape)]
    channels = 0 if keras.config.image_data_format() == "channels_first" else -1
    for shape, expected in itertools.zip_longest(shapes, own, fillvalue=()):
        if len(shape) != len(expected) or shape[channels] != expected[channels] or None in shape:
            raise UserError(
                f"Expected an input_shape without None that fits {expected}. Received: {shape}."
            )
    return shapes


def _walk(graph: Any, inputs: list, prefix: str) -> Generator[Call, None, list]:
    """Yield the calls of one graph; return its outputs at these inputs."""
    tensors = {id(tensor): given for tensor, given in zip(graph.inputs, inputs, strict=True)}
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if node.is_input or any(id(x) not in tensors for x in node.input_tensors):
                continue
            given = [tensors[id(tensor)] for tensor in node.input_tensors]
            name = prefix + node.operation.name
            nested = _graph(node.operation)
            if nested is not None:
                outputs = yield from _walk(nested, given, prefix=f"{name}/")
            else:
                outputs = _outputs(node, tensors)
                yield Call(name, node.operation, _plain(given), _plain(outputs))
            tensors |= {id(t): o for t, o in zip(node.output_tensors, outputs, strict=True)}
    return [tensors[id(tensor)] for tensor in graph.outputs]


def _outputs(node: Any, tensors: dict) -> list:
    args, kwargs = node.arguments.fill_in(tensors)
    return keras.tree.flatten(node.operation.compute_output_spec(*args, **kwargs))


def _plain(tensors: Sequence[Any]) -> tuple[Shape, ...]:
    return tuple(tuple(tensor.shape) for tensor in tensors)
