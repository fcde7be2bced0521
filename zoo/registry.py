"""Names, cards and models: the folder `architectures` is the registry."""

import ast
import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import card as cards
from zoo.card import Card
from zoo.errors import UserError

if TYPE_CHECKING:
    import keras

FOLDER = Path(__file__).parent / "architectures"


@dataclass(frozen=True)
class Identity:
    """The arguments of `create` that made a model; a weights file carries them."""

    architecture: str
    variant: str | None
    input_shape: tuple[int | None, ...]
    classes: int
    width: float
    settings: Mapping[str, Any] = field(default_factory=dict)


def names() -> list[str]:
    """List the architectures, without importing Keras."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))


def choose(value: str, choices: Iterable[str], what: str) -> str:
    """Return `value` if it is among `choices`; otherwise name the closest one."""
    choices = list(choices)
    if value in choices:
        return value
    close = difflib.get_close_matches(value, choices, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    known = ", ".join(choices) or "none"
    raise UserError(f"Unknown {what} {value!r}.{hint} Known: {known}.")


@cache
def card(name: str) -> Card:
    """Return the facts about an architecture, without importing Keras.

    A card is one expression over the names of `zoo.card` alone, so it is read out of the source
    file; importing the file would import Keras, which takes seconds.
    """
    file = FOLDER / f"{choose(name, names(), 'architecture')}.py"
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "CARD":
            expression = compile(ast.Expression(statement.value), str(file), "eval")
            return eval(expression, dict(vars(cards)))
    raise LookupError(f"{file} has no CARD")


def create(
    name: str,
    input_shape: tuple[int | None, ...] | None = None,
    classes: int | None = None,
    variant: str | None = None,
    width: float = 1.0,
    weights: str | Path | None = None,
    **settings: object,
) -> "keras.Model":
    """Build a model that returns float32 probabilities: sigmoid for one class, else softmax.

    `settings` are further keyword arguments of the architecture's `build`, such as
    `encoder_weights="imagenet"` or `separable=True`; `weights` is a file of `zoo.weights`.
    """
    facts = card(name)
    identity = Identity(
        architecture=name,
        variant=variant,
        input_shape=_checked_shape(name, facts, input_shape),
        classes=_checked_classes(facts.classes if classes is None else classes),
        width=width,
        settings=settings,
    )
    build = importlib.import_module(f"zoo.architectures.{name}").build
    model = build(identity.input_shape, identity.classes, **_arguments(identity, facts, build))
    model.zoo_identity = identity
    if weights is not None:
        from zoo.weights import load

        load(model, weights)
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


def _arguments(identity: Identity, facts: Card, build: Callable) -> dict[str, object]:
    """Merge the paper's defaults, the variant's and the caller's; scale every width."""
    known = inspect.signature(build).parameters
    arguments = {
        key: known[key].default for key in known if known[key].kind is known[key].KEYWORD_ONLY
    }
    if identity.variant is not None:
        variant = choose(identity.variant, facts.variants, f"variant of {identity.architecture}")
        arguments |= facts.variants[variant].settings
    for key in identity.settings:
        choose(key, arguments, f"setting of {identity.architecture}")
    arguments |= identity.settings
    arguments["widths"] = scaled(arguments["widths"], identity.width)
    return arguments


def scaled(widths: tuple[int, ...], width: float) -> tuple[int, ...]:
    """Scale channel counts, keeping at least one channel each."""
    if not width > 0:
        raise UserError(f"width is a factor above 0. Received: {width}.")
    return tuple(max(1, round(channels * width)) for channels in widths)


def widths(identity: Identity) -> tuple[int, ...]:
    """Return the channel counts that a model is built with, without building it."""
    build = importlib.import_module(f"zoo.architectures.{identity.architecture}").build
    return _arguments(identity, card(identity.architecture), build)["widths"]  # type: ignore[return-value]
