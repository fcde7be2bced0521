"""Names, cards and models: the folder `architectures` is the registry."""

import ast
from functools import cache
from pathlib import Path

from zoo import card as cards
from zoo.card import Card
from zoo.errors import choose

FOLDER = Path(__file__).parent / "architectures"


def names() -> list[str]:
    """List the architectures, without importing Keras."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))


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
