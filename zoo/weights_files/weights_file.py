"""A weights file on disk: read and written without Keras, and believed only where it is whole."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import UserError
from zoo.weights_files import headers, sealed
from zoo.weights_files.headers import Header
from zoo.weights_files.sealed import Tensors


def header(path: str | Path) -> Header:
    """Read what a weights file says of itself, without its tensors and without Keras."""
    path = _existing(path)
    try:
        return _header(path, sealed.facts(path, headers.FIELDS))
    except sealed.DamagedError as error:
        raise _damaged(path, error) from error


def read(path: str | Path) -> tuple[Header, Tensors]:
    """Read a weights file whole, without Keras; refuse damage, and weights that are no numbers."""
    path = _existing(path)
    try:
        facts, tensors = sealed.read(path, headers.FIELDS)
    except sealed.DamagedError as error:
        raise _damaged(path, error) from error
    found = _header(path, facts)
    if digest(tensors) != found.sha256:
        raise UserError(f"{path} is damaged: its tensors do not match the SHA-256 it carries.")
    for name, tensor in tensors.items():
        if tensor.dtype.kind not in "fiub" or not np.isfinite(tensor).all():
            raise UserError(f"{path} holds NaN or infinity in {name}: train or fetch it again.")
    return found, tensors


def write(path: Path, tensors: Tensors, facts: Mapping[str, Any]) -> str:
    """Write a weights file whole or not at all; return the SHA-256 of its tensors."""
    sha256 = digest(tensors)
    try:
        _replace(path, sealed.pack(tensors, {**facts, "sha256": sha256}))
    except OSError as error:
        raise UserError(f"{path} could not be written: {error.strerror}.") from error
    return sha256


def digest(tensors: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of tensors: names, types, shapes and values."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype.str} {tensor.shape}\n".encode())
        total.update(tensor.tobytes())
    return total.hexdigest()


def _existing(path: str | Path) -> Path:
    if not Path(path).is_file():
        raise UserError(f"No weights file at {path}.")
    return Path(path)


def _damaged(path: Path, error: sealed.DamagedError) -> UserError:
    return UserError(
        f"{path} is not a whole weights file of GlioZoo (safetensors): {error}; copy it again."
    )


def _header(path: Path, facts: Mapping[str, Any]) -> Header:
    missing = sorted(headers.FIELDS - facts.keys() - headers.OPTIONAL)
    if missing:
        raise UserError(
            f"{path} does not say which architecture it belongs to (no {missing[0]!r}): it is no "
            "weights file of GlioZoo, which `zoo.weights.save` writes."
        )
    try:
        return headers.of_facts(facts)
    except headers.HeaderError as error:
        raise UserError(f"{path}: {error}.") from error


def _replace(path: Path, content: bytes) -> None:
    """Write aside, flush, rename: a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o644)  # others may read a shared run's weights; mkstemp lets nobody
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
