"""The model zoo: interchangeable architectures behind one contract."""

from zoo.card import Card, Published, Recipe, Reference, Variant
from zoo.creating import create
from zoo.errors import UserError
from zoo.registry import card, names

__all__ = [
    "Card",
    "Published",
    "Recipe",
    "Reference",
    "UserError",
    "Variant",
    "card",
    "create",
    "names",
]
