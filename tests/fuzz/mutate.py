"""Good files made bad, case by case: what `tests/fuzz` throws at everything that reads a file.

A case is named by its number alone, so a failure can be repeated: case 17 of a seed is the same on
every machine, however many cases are asked for.

    for case in mutate.files(content, count=mutate.FEW):        # any format: damaged bytes
        path.write_bytes(case.content)                           # case.number, case.how

    for case in mutate.documents(document, count=mutate.FEW):   # JSON: one or two places replaced
        path.write_bytes(case.content)

`count` is FEW in `make test` and MANY in `make test-slow`. A CSV, a header or a JSON inside another
format: `damaged(bytes, generator)` and `spoiled(document, generator)` are one mutation each. What a
case has found is kept as a test of its own beside the reader, not as a number in here.
"""

import json
import random
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

FEW, MANY = 300, 5_000

_RAW = "@raw:"  # what stands behind it is written as it is: numbers that no json.dumps writes


def raw(token: str) -> str:
    """Return a value that `text` writes as this token."""
    return _RAW + token


NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, "", "0", [], {}, [None], {"": None}),
    *(10**400, -(10**400), 2**63, 2**64, 10**18, -(2**63), 1e308, 5e-324, -0.0),
    *(float("nan"), float("inf"), float("-inf"), raw("1e999"), raw("-1e999"), raw("9" * 5000)),
    *("\x00", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\r\n\t", "\ud800", "\u202eright", "é" * 9),
    *("=cmd|' /C calc'!A0", "+1", "@x", "-2", "<script>alert(1)</script>", "a/../../b", "%s%n{0}"),
    *("x" * 100_000, "9" * 400, "NaN", "true", "[" * 50, raw('{"a": 1, "a": 2}')),
    *([[[[[[[[1]]]]]]]], {"a": {"b": {"c": {"d": []}}}}, [{}] * 50, [1, "a", None], [[0, 0]] * 3),
    *(raw("[" * 500 + "]" * 500), {str(number): number for number in range(300)}),
)


@dataclass(frozen=True)
class Case:
    """A bad file: `how` says what was done to the good one."""

    number: int
    how: str
    content: bytes


def files(content: bytes, *, count: int, seed: int = 0) -> Iterator[Case]:
    """Yield damaged copies of a file of any format."""
    for number in range(count):
        generator = random.Random(f"{seed}/{number}")
        how, bad = damaged(content, generator)
        yield Case(number, how, bad)


def documents(document: Any, *, count: int, seed: int = 0) -> Iterator[Case]:
    """Yield copies of a JSON document with places replaced, as bytes; one in ten is damaged too."""
    for number in range(count):
        yield of_document(document, number, seed=seed)


def of_document(document: Any, number: int, *, seed: int = 0) -> Case:
    """Return the case of a number, for documents that differ from case to case."""
    generator = random.Random(f"{seed}/{number}")
    how, spoilt = spoiled(document, generator)
    if generator.random() < 0.2:
        again, spoilt = spoiled(spoilt, generator)
        how += f"; {again}"
    content = text(spoilt).encode("utf-8", "surrogatepass")
    if generator.random() < 0.1:
        again, content = damaged(content, generator)
        how += f"; {again}"
    return Case(number, how, content)


# Bytes


def damaged(content: bytes, generator: random.Random) -> tuple[str, bytes]:
    """Damage bytes in one way, and say in which."""
    way = generator.choice(_DAMAGES)
    return way.__name__.strip("_"), way(content, generator)


def _flip(content: bytes, generator: random.Random) -> bytes:
    """Flip up to eight bits, the beginning as likely as all the rest: headers stand there."""
    spoilt = bytearray(content)
    for _ in range(generator.randint(1, 8)):
        reach = generator.choice((min(len(spoilt), 512), len(spoilt)))
        if reach:
            spoilt[generator.randrange(reach)] ^= 1 << generator.randrange(8)
    return bytes(spoilt)


def _truncate(content: bytes, generator: random.Random) -> bytes:
    return content[: generator.choice((0, 1, generator.randint(0, len(content))))]


def _part(content: bytes, generator: random.Random) -> tuple[int, int]:
    start = generator.randint(0, len(content))
    return start, min(len(content), start + generator.choice((1, 2, 4, 8, 64, 1024)))


def _drop(content: bytes, generator: random.Random) -> bytes:
    start, end = _part(content, generator)
    return content[:start] + content[end:]


def _double(content: bytes, generator: random.Random) -> bytes:
    start, end = _part(content, generator)
    return content[:end] + content[start:]


def _fill(content: bytes, generator: random.Random) -> bytes:
    """Overwrite a part with one byte: zeros are what a lost block leaves."""
    start, end = _part(content, generator)
    return (
        content[:start]
        + generator.choice((b"\0", b"\xff", b"\x7f")) * (end - start)
        + (content[end:])
    )


def _noise(content: bytes, generator: random.Random) -> bytes:
    start, end = _part(content, generator)
    return content[:start] + generator.randbytes(end - start) + content[end:]


def _append(content: bytes, generator: random.Random) -> bytes:
    return content + generator.choice((b"\0", b"\n", content, generator.randbytes(64)))


def _nothing_else(content: bytes, generator: random.Random) -> bytes:
    """Replace the whole by what is no file of this kind."""
    return generator.choice((b"", b"\n", b"{}", b"[]", b"\0" * 512, generator.randbytes(512)))


_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flip, _flip, _truncate, _drop, _double, _fill, _noise, _append, _nothing_else),
)


# JSON


def spoiled(document: Any, generator: random.Random) -> tuple[str, Any]:
    """Return a copy of a document with one place changed, and say where."""
    spoilt = deepcopy(document)
    if generator.random() < 0.01:
        return "the whole document", generator.choice(NASTY)
    place, holder, key = _somewhere(spoilt, generator)
    if holder is None:
        return "the whole document", generator.choice(NASTY)
    way = generator.random()
    if way < 0.15:
        del holder[key]
        return f"{place} is gone", spoilt
    if way < 0.25 and isinstance(holder, dict):
        holder[generator.choice(("", "\x1b[2J", "=1+1", "x" * 2000, "mean"))] = holder.pop(key)
        return f"{place} is renamed", spoilt
    if way < 0.35 and isinstance(holder, list):
        holder.insert(key, deepcopy(holder[key]))
        return f"{place} is there twice", spoilt
    value = generator.choice(NASTY)
    holder[key] = _shaken(holder[key], generator) if way > 0.9 else deepcopy(value)
    return f"{place} = {str(holder[key])[:40]!r}", spoilt


def _somewhere(document: Any, generator: random.Random) -> tuple[str, Any, Any]:
    """Walk down at random, each level as likely to be the last: deep places are many, not likely.

    The walk returns the place in words, what holds it, and under which key or index.
    """
    place, holder, key = "", None, None
    here = document
    while isinstance(here, dict | list) and here:
        keys = list(here) if isinstance(here, dict) else range(len(here))
        chosen = generator.choice(keys)
        holder, key, here = here, chosen, here[chosen]
        place += f".{key}"
        if generator.random() < 0.2:
            break
    return place.lstrip("."), holder, key


def _shaken(value: Any, generator: random.Random) -> Any:
    """Change a value a little, so that its type is right and its content is not."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float) and abs(value) < 1e300:
        return generator.choice((value + 1, -value, value * 2, value + 0.5, str(value)))
    if isinstance(value, str):
        return generator.choice((value[1:], value + value, value.upper(), [value]))
    return [value]


def text(document: Any) -> str:
    """Print a document as JSON, its raw tokens as they are."""
    printed = json.dumps(document)
    return re.sub(rf'"{_RAW}((?:[^"\\]|\\.)*)"', lambda found: json.loads(f'"{found[1]}"'), printed)
