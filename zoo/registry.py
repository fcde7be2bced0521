"""Names, cards and builders: the folder `architectures` is the registry.

A model from outside is named as a file, `./my_model.py`, or as an installed package lists it.
"""

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from zoo.card import Card
from zoo.errors import UserError, choose
from zoo.outside import cards, files, packages, running
from zoo.outside.origin import Origin, Outside

FOLDER = Path(__file__).parent / "architectures"


def names() -> list[str]:
    """List the architectures, without importing Keras."""
    return list(_own())


@cache
def _own() -> tuple[str, ...]:
    """Read the folder once: a sweep of ten thousand runs asks for each whether it is in it."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_")))


def outside(reference: str) -> Outside | None:
    """Find a model from outside, without running it; None for one of the zoo's own."""
    if reference in _own():
        return None
    if not files.is_one(reference):
        given = packages.names()
        return packages.find(choose(reference, [*names(), *given], "architecture"))
    found = files.find(reference)
    if found.name in _own():
        raise UserError(
            f"{reference}: the zoo has an architecture called {found.name!r}; rename the file, so "
            "that a table can tell them apart."
        )
    return found


def require(reference: str) -> str:
    """Return the name of a model of the zoo or from outside; refuse any other."""
    outside(reference)
    return reference


def name_of(reference: str) -> str:
    """Return what tables and records call a model."""
    found = outside(reference)
    return found.name if found else reference


def origin_of(reference: str) -> Origin | None:
    """Say where a model from outside comes from; None for one of the zoo's own."""
    found = outside(reference)
    return found.origin if found else None


def card(reference: str) -> Card:
    """Return the facts about an architecture, without importing Keras."""
    found = outside(reference)
    return found.card if found else _card(reference)


@cache
def _card(name: str) -> Card:
    file = FOLDER / f"{name}.py"
    found = cards.read(file.read_text(encoding="utf-8"), file, own=True)
    if found is None:
        raise LookupError(f"{file} has no CARD")
    return found


def builder(reference: str) -> Callable:
    """Import the function that makes the model: this runs a source from outside."""
    found = outside(reference)
    if found:
        return running.builder(found)
    return importlib.import_module(f"zoo.architectures.{reference}").build
