"""Names, cards and models: the folder `architectures` is the registry."""

import ast
import difflib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import card as cards
from zoo.card import Card
from zoo.errors import UserError

if TYPE_CHECKING:
    pass

FOLDER = Path(__file__).parent / "architectures"


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
