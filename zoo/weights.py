"""Weights files: tensors and facts in the safetensors format, never a model, never a pickle.

The header says which `zoo.create` call the tensors belong to, so that a file cannot slip into
another architecture, and carries the SHA-256 of the tensors, so that damage is found on loading.
Whoever saves may add facts of their own, `about`, such as how images are to be prepared.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from zoo.errors import UserError
from zoo.registry import Identity, card, create

if TYPE_CHECKING:
    import keras

# Arguments that say where the first weights came from: of no meaning once there is a file.
ORIGINS = ("encoder_weights",)


@dataclass(frozen=True)
class Header:
    """What a weights file says of itself."""

    identity: Identity
    card_digest: str
    sha256: str
    about: Mapping[str, Any]


def save(model: "keras.Model", path: str | Path, about: Mapping[str, Any] | None = None) -> str:
    """Write the weights of a model made by `zoo.create`, whole or not at all; return their hash.

    `about` holds facts of the caller's as plain JSON values; `header` gives them back.
    """
    path = Path(path)
    identity = identity_of(model)
    tensors = arrays(model)
    facts = {
        "architecture": identity.architecture,
        "variant": identity.variant,
        "input_shape": identity.input_shape,
        "classes": identity.classes,
        "width": identity.width,
        "settings": _architecture(identity)[-1],
        "card_digest": card(identity.architecture).digest(),
        "sha256": _digest(tensors),
        "about": dict(about or {}),
    }
    try:
        _replace(path, safetensors.numpy.save(tensors, _as_metadata(facts)))
    except OSError as error:
        raise UserError(f"{path} could not be written: {error.strerror}.") from error
    return str(facts["sha256"])


def header(path: str | Path) -> Header:
    """Read what a weights file says of itself, without its tensors."""
    with _opened(path) as file:
        return _header(path, file.metadata())


def load(model: "keras.Model", path: str | Path) -> None:
    """Load a weights file into the model it belongs to; refuse any other, and damage."""
    facts, tensors = _read(path)
    identity = identity_of(model)
    difference = _first_difference(model, tensors)
    if difference or _architecture(facts.identity) != _architecture(identity):
        raise UserError(
            f"{path} holds the weights of {describe(facts.identity)}, not of "
            f"{describe(identity)}; the first layer that differs is "
            f"{difference or 'none by its shape, but the two compute differently'}."
        )
    for layer in _weighted(model):
        layer.set_weights([tensors[_name(layer, variable)] for variable in layer.weights])
        if hasattr(layer, "finalize_state"):  # Normalization computes with a copy.
            layer.finalize_state()


def restore(path: str | Path) -> "keras.Model":
    """Build the model that a weights file was saved from, with its weights."""
    identity = header(path).identity
    return create(
        identity.architecture,
        identity.input_shape,
        identity.classes,
        identity.variant,
        identity.width,
        weights=path,
        **identity.settings,
    )


def digest(model: "keras.Model") -> str:
    """Return the SHA-256 of a model's weights: names, types, shapes and values."""
    return _digest(arrays(model))


def arrays(model: "keras.Model") -> dict[str, np.ndarray]:
    """Return every weight by `layer/variable`."""
    return {
        # ascontiguousarray would make a scalar a vector of one.
        _name(layer, variable): np.asarray(value, order="C")
        for layer in _weighted(model)
        for variable, value in zip(layer.weights, layer.get_weights(), strict=True)
    }


def identity_of(model: "keras.Model") -> Identity:
    """Return the arguments of `create` that made the model."""
    identity = getattr(model, "zoo_identity", None)
    if identity is None:
        raise UserError(
            f"The model {model.name!r} was not made by zoo.create, so a weights file could not "
            "say what it belongs to."
        )
    return identity


def describe(identity: Identity) -> str:
    """Say the `create` call in the words a user would type."""
    shape = "x".join(str(side) for side in identity.input_shape)
    variant = f" variant {identity.variant}" if identity.variant else ""
    settings = "".join(f" {key}={value}" for key, value in sorted(identity.settings.items()))
    return (
        f"{identity.architecture}{variant} of {shape}, {identity.classes} classes, "
        f"width {identity.width:g}{settings}"
    )


def _architecture(identity: Identity) -> tuple:
    """Return what makes two models the same function of their weights; sides may differ."""
    settings = {k: v for k, v in identity.settings.items() if k not in ORIGINS}
    return identity.architecture, identity.variant, settings


def _as_metadata(facts: Mapping[str, object]) -> dict[str, str]:
    return {key: json.dumps(value) for key, value in facts.items()}


def _weighted(model: "keras.Model") -> list:
    return [layer for layer in model.layers if layer.weights]


def _name(layer: "keras.layers.Layer", variable: "keras.Variable") -> str:
    return f"{layer.name}/{variable.name}"


def _digest(tensors: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype.str} {tensor.shape}\n".encode())
        total.update(tensor.tobytes())
    return total.hexdigest()


def _first_difference(model: "keras.Model", tensors: Mapping[str, np.ndarray]) -> str | None:
    """Name the first weight, in the model's order, that the file has otherwise or not at all."""
    expected = arrays(model)
    for name, value in expected.items():
        if name not in tensors:
            return f"{name}, which the file does not have"
        if tensors[name].shape != value.shape:
            return f"{name}: {value.shape} in the model, {tensors[name].shape} in the file"
    extra = sorted(set(tensors) - set(expected))  # A file keeps the names in an order of its own.
    return f"{extra[0]}, which the model does not have" if extra else None


def _opened(path: str | Path):
    if not Path(path).is_file():
        raise UserError(f"No weights file at {path}.")
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path} is not a whole weights file of GlioZoo (safetensors): {error}."
        ) from error


def _read(path: str | Path) -> tuple[Header, dict[str, np.ndarray]]:
    with _opened(path) as file:
        facts = _header(path, file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if _digest(tensors) != facts.sha256:
        raise UserError(f"{path} is damaged: its tensors do not match the SHA-256 it carries.")
    return facts, tensors


def _header(path: str | Path, metadata: Mapping[str, str] | None) -> Header:
    try:
        facts = {key: json.loads(value) for key, value in (metadata or {}).items()}
        identity = Identity(
            facts["architecture"],
            facts["variant"],
            tuple(facts["input_shape"]),
            facts["classes"],
            facts["width"],
            facts["settings"],
        )
        return Header(identity, facts["card_digest"], facts["sha256"], facts.get("about", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} does not say which architecture it belongs to: it is no weights file of "
            "GlioZoo, which `zoo.weights.save` writes."
        ) from error


def _replace(path: Path, content: bytes) -> None:
    """Write aside, flush, rename: a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
