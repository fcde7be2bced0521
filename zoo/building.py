"""An architecture built for a shape, a number of classes, a variant and a width."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zoo import registry
from zoo.card import Card
from zoo.errors import UserError
from zoo.outside import probabilities, running
from zoo.outside.origin import Origin, Outside

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Identity:
    """The arguments of `build` that made a model; a weights file carries them.

    `reference` is how a user names an architecture from outside, and no part of what it is.
    """

    architecture: str
    variant: str | None
    input_shape: tuple[int | None, ...]
    classes: int
    width: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin | None = None
    reference: str | None = field(default=None, compare=False)


def build(
    name: str,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int | None = None,
    variant: str | None = None,
    width: float = 1.0,
    **settings: object,
) -> "keras.Model":
    """Build a model that returns float32 probabilities: sigmoid for one class, else softmax.

    `settings` are further keyword arguments of the architecture's `build`, such as
    `encoder_weights="imagenet"` or `separable=True`.
    """
    found = registry.outside(name)
    facts = registry.card(name)
    identity = Identity(
        architecture=found.name if found else name,
        variant=variant,
        input_shape=_checked_shape(name, facts, input_shape),
        classes=_checked_classes(facts.classes if classes is None else classes),
        width=width,
        settings=settings,
        origin=found.origin if found else None,
        reference=name if found else None,
    )
    architecture = registry.builder(name)
    arguments = _arguments(identity, facts, _defaults(found, architecture))
    if found:
        model = _from_outside(found, architecture, identity, arguments)
    else:
        model = architecture(identity.input_shape, identity.classes, **arguments)
    model.zoo_identity = identity
    return model


def _from_outside(
    found: Outside, architecture: Callable, identity: Identity, arguments: dict[str, object]
) -> "keras.Model":
    model = running.call(found, architecture, identity.input_shape, identity.classes, arguments)
    probabilities.require(model, found.reference, identity.input_shape, identity.classes)
    return model


def _checked_shape(name: str, facts: Card, shape: tuple | None) -> tuple[int | None, ...]:
    shape = tuple(facts.input_shape if shape is None else shape)
    if len(shape) - 1 not in facts.ranks or shape[-1] is None:
        expected = " or ".join(
            {2: "(height, width, channels)", 3: "(depth, height, width, channels)"}[rank]
            for rank in facts.ranks
        )
        raise UserError(f"{name} takes an input_shape of {expected}. Received: {shape}.")
    if any(side is not None and side < 1 for side in shape):
        raise UserError(f"Every side of input_shape is at least 1. Received: {shape}.")
    return shape


def _checked_classes(classes: int) -> int:
    if classes < 1:
        raise UserError(f"classes is 1 (sigmoid) or more (softmax). Received: {classes}.")
    return classes


def _defaults(found: Outside | None, build: Callable) -> dict[str, object]:
    if found:
        return running.settings(found, build)
    known = inspect.signature(build).parameters
    return {key: known[key].default for key in known if known[key].kind is known[key].KEYWORD_ONLY}


def _arguments(
    identity: Identity, facts: Card, defaults: Mapping[str, object]
) -> dict[str, object]:
    """Merge the paper's defaults, the variant's and the caller's; scale every width there is."""
    arguments = dict(defaults)
    if identity.variant is not None:
        variant = registry.choose(
            identity.variant, facts.variants, f"variant of {identity.architecture}"
        )
        arguments |= facts.variants[variant].settings
    for key in identity.settings:
        registry.choose(key, arguments, f"setting of {identity.architecture}")
    arguments |= identity.settings
    if "widths" in arguments:
        arguments["widths"] = scaled(arguments["widths"], identity.width)  # type: ignore[arg-type]
    return arguments


def scaled(widths: tuple[int, ...], width: float) -> tuple[int, ...]:
    """Scale channel counts, keeping at least one channel each."""
    if not width > 0:
        raise UserError(f"width is a factor above 0. Received: {width}.")
    return tuple(max(1, round(channels * width)) for channels in widths)


def widths(identity: Identity) -> tuple[int, ...]:
    """Return the channel counts that a model of the zoo is built with, without building it."""
    defaults = _defaults(None, registry.builder(identity.architecture))
    return _arguments(identity, registry.card(identity.architecture), defaults)["widths"]  # type: ignore[return-value]
