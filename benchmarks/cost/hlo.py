"""Read XLA's program of a model (HLO text) and cost it by the rules of XLA's own cost analysis.

The rules are those of `xla::HloCostAnalysis`, which no TensorFlow wheel exposes to Python: a
convolution has two operations for each tap that meets a real input, a dot two for each product,
anything elementwise one per element; exponentials and their kin count as transcendentals, apart.
JAX does expose it, and the tests hold this file to what it answers.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Shape = tuple[int, ...]

_INSTRUCTION = re.compile(r"\s*(ROOT )?%?([\w.\-]+) = (\([^=]*?\)|\S+) ([\w\-]+)\((.*)")
_COMPUTATION = re.compile(r"(ENTRY )?%?([\w.\-]+)[^=]*\{$")
_ARRAY = re.compile(r"[a-z]\w*\[([\d,]*)\](?:\{[^}]*\})?")
_ONE_EACH = """abs add and ceil clamp compare convert divide floor maximum minimum multiply negate
    not or remainder round-nearest-afz round-nearest-even select sign subtract xor is-finite"""
_ELEMENTWISE = frozenset(_ONE_EACH.split())


@dataclass(frozen=True)
class Instruction:
    """One line of a program: what it makes, of what, and its attributes as they are written."""

    name: str
    opcode: str
    shape: Shape
    operands: tuple[str, ...]
    attributes: str

    def attribute(self, name: str, default: str = "") -> str:
        """Return the text of one attribute."""
        found = re.search(rf"\b{name}=(\{{[^}}]*\}}|[^,\s]+)", self.attributes)
        return found[1].strip("{}%") if found else default

    def numbers(self, name: str) -> Shape:
        """Return an attribute that is a list of numbers."""
        return tuple(int(n) for n in self.attribute(name).split(",") if n)


@dataclass(frozen=True)
class Program:
    """The computations of a program by name, each by the names of its instructions."""

    entry: str
    computations: Mapping[str, Mapping[str, Instruction]]


@dataclass(frozen=True)
class Cost:
    """The operations of one instruction of the flattened program."""

    opcode: str
    flops: int


def parse(text: str) -> Program:
    """Parse the text of a module."""
    entry = ""
    computations: dict[str, dict[str, Instruction]] = {}
    current: dict[str, Instruction] = {}
    for line in text.splitlines():
        if found := _INSTRUCTION.match(line):
            current[found[2]] = _instruction(found)
        elif header := _COMPUTATION.match(line.strip()):
            current = computations[header[2]] = {}
            entry = header[2] if header[1] else entry
    return Program(entry, computations)


def _instruction(found: re.Match) -> Instruction:
    """Build an instruction; TensorFlow writes each operand's type before its name, JAX does not."""
    operands, _, attributes = found[5].partition(")")
    names = (name.strip().lstrip("%") for name in _ARRAY.sub("", operands).split(","))
    array = _ARRAY.fullmatch(found[3])
    sides = tuple(int(n) for n in array[1].split(",") if n) if array else ()
    return Instruction(found[2], found[4], sides, tuple(names), attributes)


def costs(program: Program, computation: str | None = None) -> Iterator[Cost]:
    """Yield what each instruction costs, those of called computations at each call."""
    scope = program.computations[computation or program.entry]
    for instruction in scope.values():
        if instruction.opcode == "call":
            yield from costs(program, instruction.attribute("to_apply"))
        else:
            flops = _flops(instruction, scope, program)
            if flops:
                yield Cost(instruction.opcode, flops)


def _flops(instruction: Instruction, scope: Mapping[str, Instruction], program: Program) -> int:
    elements = math.prod(instruction.shape)
    if instruction.opcode in _ELEMENTWISE:
        return elements
    if instruction.opcode == "convolution":
        return _convolution(instruction, scope)
    if instruction.opcode == "dot":
        left = scope[instruction.operands[0]].shape
        width = math.prod(left[axis] for axis in instruction.numbers("lhs_contracting_dims"))
        return 2 * elements * width
    if instruction.opcode in ("reduce", "reduce-window"):
        each = sum(cost.flops for cost in costs(program, instruction.attribute("to_apply")))
        return each * _reductions(instruction, scope[instruction.operands[0]].shape)
    if instruction.opcode == "batch-norm-inference":  # XLA's analysis leaves it at 0
        return 2 * elements  # what the same layer costs where it isn't fused: multiply, add
    return 0


def _reductions(instruction: Instruction, operand: Shape) -> int:
    elements = math.prod(instruction.shape)
    if instruction.opcode == "reduce":
        return math.prod(operand) - elements
    size = re.search(r"size=([\dx]+)", instruction.attribute("window"))
    window = math.prod(int(n) for n in size[1].split("x")) if size else 1
    return elements * (window - 1)


def _convolution(instruction: Instruction, scope: Mapping[str, Instruction]) -> int:
    image, kernel = (scope[name].shape for name in instruction.operands)
    left, right, out = re.split("_|->", instruction.attribute("dim_labels"))
    axes = sorted(label for label in left if label.isdigit())
    sizes = [
        (image[left.index(a)], kernel[right.index(a)], instruction.shape[out.index(a)])
        for a in axes
    ]
    windows = _windows(instruction.attribute("window"), len(axes))
    taps = math.prod(itertools.starmap(_taps, zip(sizes, windows, strict=True)))
    groups = int(instruction.attribute("feature_group_count", "1"))
    channels = image[left.index("f")] // groups * instruction.shape[out.index("f")]
    return 2 * taps * channels * image[left.index("b")]


def _windows(window: str, rank: int) -> list[tuple[int, int, int, int]]:
    """Return stride, padding before, base dilation and window dilation of each axis."""
    found = dict(re.findall(r"(\w+)=(\S+)", window))

    def axes(key: str, default: str) -> list[str]:
        return found.get(key, "x".join([default] * rank)).split("x")

    columns = (
        map(int, axes("stride", "1")),
        (int(pad.split("_")[0]) for pad in axes("pad", "0_0")),
        map(int, axes("lhs_dilate", "1")),
        map(int, axes("rhs_dilate", "1")),
    )
    return list(zip(*columns, strict=True))


def _taps(sizes: tuple[int, int, int], window: tuple[int, int, int, int]) -> int:
    """Count along one axis the taps that fall on an input: not on padding, nor between inputs."""
    (image, kernel, output), (stride, before, spread, dilation) = sizes, window
    positions = (
        place * stride + tap * dilation - before for place in range(output) for tap in range(kernel)
    )
    return sum(0 <= p <= (image - 1) * spread and p % spread == 0 for p in positions)
