"""Tensors and facts in one safetensors file, under one seal.

Facts lie in the file's header, as JSON. One of them is a digest of the tensors, and `seal` is a
digest of all the facts: so it vouches for the whole file, and whoever needs the facts alone knows
that they are whole without reading a tensor. A file that was written before there were seals has
none, and its facts are taken as they are.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError, safe_open

Tensors = dict[str, np.ndarray]
Facts = dict[str, Any]
Found = TypeVar("Found")

SEAL = "seal"
# What safetensors, NumPy and JSON raise at bytes that make no sense to them.
SENSELESS = (SafetensorError, OSError, TypeError, ValueError, AttributeError, RecursionError)


class DamagedError(Exception):
    """A file is not what was written; the reason is half a sentence."""


def pack(tensors: Tensors, facts: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file; a digest of the tensors is to be among the facts."""
    written = {name: json.dumps(value) for name, value in facts.items()}
    return safetensors.numpy.save(tensors, {**written, SEAL: _seal(written)})


def facts(path: Path, known: frozenset[str]) -> Facts:
    """Return the facts, without the tensors; a name that is not known is damage."""
    return _within(path, lambda file: _facts(file.metadata() or {}, known))


def read(path: Path, known: frozenset[str]) -> tuple[Facts, Tensors]:
    """Return facts and tensors; the digest of the tensors is the caller's to compare."""
    return _within(path, lambda file: (_facts(file.metadata() or {}, known), _tensors(file)))


def _within(path: Path, take: Callable[[Any], Found]) -> Found:
    try:
        with safe_open(path, framework="numpy") as file:
            return take(file)
    except SENSELESS as error:
        raise DamagedError(f"it can't be read ({' '.join(str(error).split())[:200]})") from error


def _facts(written: Mapping[str, str], known: frozenset[str]) -> Facts:
    content = {name: text for name, text in written.items() if name != SEAL}
    unknown = sorted(content.keys() - known)
    if unknown:
        raise DamagedError(f"its header has the unknown entry {unknown[0][:40]!r}")
    if SEAL in written and written[SEAL] != _seal(content):
        raise DamagedError("its header does not match the seal (SHA-256) that it carries")
    return {name: json.loads(text) for name, text in content.items()}


def _tensors(file: Any) -> Tensors:
    return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no dict


def _seal(written: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(written), sort_keys=True).encode()).hexdigest()
