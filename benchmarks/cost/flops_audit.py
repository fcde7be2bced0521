"""The counter against the compiler: every product in XLA's program must be accounted for.

The closed forms count each tap of each convolution; XLA leaves out taps that fall on padding, and
writes dilated convolutions and resampling in ways of its own. For every layer call this file
predicts, from the layer's settings alone, how many operations XLA will find; a prediction that
meets an instruction of the compiled program explains its difference, one that meets none does not.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import keras

from benchmarks.backends import programs
from benchmarks.cost import flops, hlo
from benchmarks.cost.xla_rules import Part, parts

PRODUCTS = ("convolution", "dot")
MISSING = "no such instruction is in the program"


@dataclass(frozen=True)
class Entry:
    """Operations of one kind: as counted, as in XLA's program, and why they differ.

    `unexplained` is what is left of the difference.
    """

    operation: str
    calls: int
    counted: int
    compiler: int
    explanation: str
    unexplained: int


def reconcile(model: keras.Model, input_shape: Sequence[int] | None = None) -> tuple[Entry, ...]:
    """Compare the count of a model with its XLA program, kind by kind."""
    shape = (1, *(input_shape or model.input_shape[1:]))
    costs = list(hlo.costs(hlo.parse(programs.lowered(model, shape))))
    products = Counter(cost.flops for cost in costs if cost.opcode in PRODUCTS)
    elementwise = sum(cost.flops for cost in costs if cost.opcode not in PRODUCTS)
    expected = [part for call in flops.calls(model, input_shape) for part in parts(call)]
    entries = _matched(expected, products)
    other = flops.count(model, input_shape).other - sum(part.other for part in expected)
    return (*entries, *_products_left(products), _elementwise(other, elementwise))


def _matched(expected: Sequence[Part], products: Counter) -> list[Entry]:
    """Give each part its instructions, which leave `products`, and sum up by kind and reason."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for part in expected:
        compiler, explanation = _match(part, products)
        found[part.operation, explanation].append((part.counted, compiler))
    return [
        _entry(operation, explanation, *zip(*pairs, strict=True))
        for (operation, explanation), pairs in found.items()
    ]


def _entry(operation: str, why: str, counted: Sequence[int], compiler: Sequence[int]) -> Entry:
    difference = sum(compiler) - sum(counted)
    left = difference if why == MISSING else 0
    return Entry(operation, len(counted), sum(counted), sum(compiler), why, left)


def unexplained(entries: Sequence[Entry]) -> float:
    """Return what no entry explains, as a share of the compiler's operations."""
    total = sum(entry.compiler for entry in entries)
    return sum(abs(entry.unexplained) for entry in entries) / total if total else 0.0


def _match(part: Part, pool: Counter) -> tuple[int, str]:
    """Take the first form of a part that is in the program out of the pool."""
    for form in part.forms:
        needed = Counter(form.flops)
        if all(pool[size] >= times for size, times in needed.items()):
            pool.subtract(needed)
            return sum(form.flops), form.explanation
    return 0, MISSING


def _products_left(pool: Counter) -> list[Entry]:
    left = sum(size * times for size, times in pool.items())
    calls = sum(pool.values())
    if not left:
        return []
    return [Entry("convolution or dot of no layer", calls, 0, left, "no layer predicts it", left)]


def _elementwise(counted: int, compiler: int) -> Entry:
    why = "rules of thumb against instructions; XLA counts exponentials apart"
    return Entry("all else: `other`", 1, counted, compiler, why, compiler - counted)
