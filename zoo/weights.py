"""Weights files: tensors and facts in the safetensors format, never a model, never a pickle.

The header says which `zoo.create` call the tensors belong to, so that a file cannot slip into
another architecture; one seal covers header and tensors, so that damage is found on loading.
Whoever saves may add facts of their own, `about`, such as how images are to be prepared.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zoo.building import Identity, build, widths
from zoo.errors import UserError
from zoo.registry import card, name_of, origin_of
from zoo.weights_files import halves, headers, kernels, weights_file
from zoo.weights_files.sealed import Tensors
from zoo.weights_files.weights_file import digest as digest_of
from zoo.weights_files.weights_file import header as header
from zoo.weights_files.weights_file import read as read

if TYPE_CHECKING:
    import keras

# What building raises where a header asks for what no network can be.
UNBUILDABLE = (headers.HeaderError, TypeError, ValueError, ArithmeticError, LookupError)


def save(model: "keras.Model", path: str | Path, about: Mapping[str, Any] | None = None) -> str:
    """Write the weights of a model made by `zoo.create`, whole or not at all; return their hash.

    `about` holds facts of the caller's as plain JSON values; `header` gives them back.
    """
    identity = identity_of(model)
    card_digest = card(identity.reference or identity.architecture).digest()
    facts = _facts(identity, card_digest, about or {})
    return weights_file.write(Path(path), arrays(model), facts)


def _facts(identity: Identity, card_digest: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file's header says beside its tensors."""
    facts = {
        "architecture": identity.architecture,
        "variant": identity.variant,
        "input_shape": identity.input_shape,
        "classes": identity.classes,
        "width": identity.width,
        "settings": headers.settings_of(identity),
        "card_digest": card_digest,
        "about": dict(about),
    }
    return facts | {"origin": identity.origin.as_json()} if identity.origin else facts


def load(model: "keras.Model", path: str | Path) -> None:
    """Load a weights file into the model it belongs to; refuse any other, and damage."""
    found, tensors = read(path)
    _fill(model, path, found.identity, tensors)


def halve(source: str | Path, target: str | Path) -> str:
    """Write a weights file anew in half its bytes, without Keras; return the hash of its tensors.

    What normalises keeps its 32 bits, and whoever loads the file gets 32 for all.
    """
    found, tensors = read(source)
    facts = _facts(found.identity, found.card_digest, found.about)
    return weights_file.write(Path(target), halves.halved(tensors), facts)


def retell(source: str | Path, target: str | Path, about: Mapping[str, Any]) -> str:
    """Write a weights file anew with other facts about it, without Keras; its tensors stay."""
    found, tensors = read(source)
    facts = _facts(found.identity, found.card_digest, about)
    return weights_file.write(Path(target), tensors, facts)


def restore(path: str | Path, source: str | None = None) -> "keras.Model":
    """Build the model that a weights file was saved from, with its weights.

    A file names no code: whoever restores a model from outside the zoo names its `source`.
    """
    found, tensors = read(path)
    identity = found.identity
    require_source(path, identity, source)
    try:
        if not identity.origin:
            headers.require_room(widths(identity), tensors)
        model = build(
            source if identity.origin and source else identity.architecture,
            identity.input_shape,
            identity.classes,
            identity.variant,
            identity.width,
            **identity.settings,
        )
    except UNBUILDABLE as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: no network can be built from its header: {reason}") from error
    _fill(model, path, identity, tensors)
    return model


class Transferred(NamedTuple):
    """What a model could not take over as it was: weights that begin anew, kernels resampled."""

    anew: list[str]
    resampled: list[str]


def transfer(model: "keras.Model", path: str | Path) -> Transferred:
    """Give a model the weights of a file to go on from; return what is not as it was there.

    The head begins anew where the number of classes differs. Variants that differ in the size of
    their kernels alone go on from each other: kernels are resampled (MedNeXt's UpKern).
    """
    found, tensors = read(path)
    saved, identity = found.identity, identity_of(model)
    expected, tensors = arrays(model), halves.widened(tensors)
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    other = [name for name, value in expected.items() if shapes.get(name) != value.shape]
    alike = _architecture(saved) == _architecture(identity)
    of_two_sizes = not alike and _network(saved) == _network(identity)
    same = (alike or of_two_sizes) and saved.width == identity.width
    if not same or saved.input_shape[-1] != identity.input_shape[-1]:
        raise UserError(
            f"{path} holds the weights of {describe(saved)}, from which {describe(identity)} can't "
            "go on: architecture, variant, width and channels must be the same; variants may "
            "differ in the size of their kernels."
        )
    made = {
        name: kernels.resampled(tensors[name], expected[name].shape)
        for name in other
        if of_two_sizes and kernels.differ_in_size(shapes.get(name, ()), expected[name].shape)
    }
    anew = [name for name in other if name not in made]
    if anew and saved.classes == identity.classes:
        raise UserError(f"{path}: can't be gone on from; {_first_difference(model, tensors)}.")
    kept = {name: tensor for name, tensor in tensors.items() if name not in other}
    _assign(model, {**expected, **kept, **made})
    return Transferred(anew, list(made))


def require_source(path: str | Path, identity: Identity, source: str | None) -> None:
    """Refuse weights from outside the zoo without their source, or with another one."""
    origin = identity.origin
    if origin is None:
        if source is not None and name_of(source) != identity.architecture:
            raise UserError(
                f"{path} holds the weights of {identity.architecture}, not of {source}."
            )
        return
    told = f"{origin.kind} {origin.name}" + (f" {origin.version}" if origin.version else "")
    if source is None:
        raise UserError(
            f"{path} holds the weights of {identity.architecture}, a model from outside the zoo, "
            f"and weights name no code to run: give its source ({told}, SHA-256 "
            f"{origin.sha256[:12]}) with --model."
        )
    own = origin_of(source)
    if own is None or own.sha256 != origin.sha256:
        raise UserError(
            f"{path} was trained with another source than {source}: its {told} had the SHA-256 "
            f"{origin.sha256[:12]}, and this one has {own.sha256[:12] if own else 'none'}; give "
            "the source as it was."
        )


def digest(model: "keras.Model") -> str:
    """Return the SHA-256 of a model's weights: names, types, shapes and values."""
    return digest_of(arrays(model))


def arrays(model: "keras.Model") -> dict[str, np.ndarray]:
    """Return every weight by `layer/variable`."""
    return {
        # ascontiguousarray would make a scalar a vector of one.
        name: np.asarray(value, order="C")
        for layer, listed in _named(model)
        for name, value in zip(listed, layer.get_weights(), strict=True)
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
    settings = headers.settings_of(identity)
    return identity.architecture, _sha256(identity), identity.variant, settings


def _network(identity: Identity) -> tuple:
    """Return what forms of an architecture have in common that differ in their kernels' size."""
    found = card(identity.reference or identity.architecture)
    variant = found.variants[identity.variant].settings if identity.variant else {}
    settings = {**variant, **headers.settings_of(identity)}
    settings.pop("kernel", None)
    return identity.architecture, _sha256(identity), settings


def _sha256(identity: Identity) -> str | None:
    return identity.origin.sha256 if identity.origin else None


def _fill(model: "keras.Model", path: str | Path, saved: Identity, tensors: Tensors) -> None:
    identity = identity_of(model)
    tensors = halves.widened(tensors)
    difference = _first_difference(model, tensors)
    if difference or _architecture(saved) != _architecture(identity):
        raise UserError(
            f"{path} holds the weights of {describe(saved)}, not of {describe(identity)}; "
            "the first layer that differs is "
            f"{difference or 'none by its shape, but the two compute differently'}."
        )
    _assign(model, tensors)


def _assign(model: "keras.Model", tensors: Tensors) -> None:
    for layer, listed in _named(model):
        layer.set_weights([tensors[name] for name in listed])
        if hasattr(layer, "finalize_state"):  # Normalization computes with a copy.
            layer.finalize_state()


def _named(model: "keras.Model") -> list[tuple["keras.layers.Layer", list[str]]]:
    """Return each layer with the names of its weights.

    The zoo's layers have names of their own. A model from outside may leave them to Keras, which
    counts on in a process, and nest layers: its weights go by their place.
    """
    weighted = [layer for layer in model.layers if layer.weights]
    identity = getattr(model, "zoo_identity", None)
    if identity is None or identity.origin is None:
        return [(one, [f"{one.name}/{weight.name}" for weight in one.weights]) for one in weighted]
    return [
        (one, [f"{place:04d}/{n:04d}_{weight.name}" for n, weight in enumerate(one.weights)])
        for place, one in enumerate(weighted)
    ]


def _first_difference(model: "keras.Model", tensors: Mapping[str, np.ndarray]) -> str | None:
    """Name the first weight, in the model's order, that the file has otherwise or not at all."""
    expected = arrays(model)
    for name, value in expected.items():
        if name not in tensors:
            return f"{name}, which the file does not have"
        if tensors[name].shape != value.shape:
            return f"{name}: {value.shape} in the model, {tensors[name].shape} in the file"
        if _kind(tensors[name]) != _kind(value):
            return f"{name}: {value.dtype} in the model, {tensors[name].dtype} in the file"
    extra = sorted(set(tensors) - set(expected))  # A file keeps the names in an order of its own.
    return f"{extra[0]}, which the model does not have" if extra else None


def _kind(tensor: np.ndarray) -> object:
    """Return what types must agree in: JAX counts in int32 what TensorFlow counts in int64."""
    return tensor.dtype.kind if tensor.dtype.kind in "iu" else tensor.dtype
