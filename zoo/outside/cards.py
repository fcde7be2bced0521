"""The card that a source file states, read from its text: importing it would import Keras."""

import ast
from pathlib import Path

from zoo import card as cards
from zoo.card import Card
from zoo.errors import UserError

_NAMES = {name: found for name, found in vars(cards).items() if isinstance(found, type)}


def read(text: str, file: Path | str, *, own: bool = False) -> Card | None:
    """Return `CARD`, one expression over the names of `zoo.card` alone; None where there is none.

    A text that is no Python is refused with the line; the zoo's `own` may use Python's functions.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f"line {line}: " if line else ""
        raise UserError(
            f"{file}: is not Python ({where}{getattr(error, 'msg', error)}); mend it."
        ) from error
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "CARD":
            return _value(statement.value, file, own)
    return None


def functions(text: str) -> list[str]:
    """Name the public functions of a source, which is Python."""
    return [
        statement.name
        for statement in ast.parse(text).body
        if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("_")
    ]


def _value(expression: ast.expr, file: Path | str, own: bool) -> Card:
    code = compile(ast.Expression(expression), str(file), "eval")
    try:
        found = eval(code, dict(vars(cards)) if own else {"__builtins__": {}, **_NAMES})
    except Exception as error:
        raise UserError(
            f"{file}: its CARD can't be read ({type(error).__name__}: {error}); write it as one "
            "expression over the names of zoo.card, or leave it out."
        ) from error
    if not isinstance(found, Card):
        raise UserError(f"{file}: its CARD is no zoo.Card; write Card(...), or leave it out.")
    return found
