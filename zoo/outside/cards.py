"""The card that a source file states, read from its text: importing it would import Keras."""

import ast
from pathlib import Path

from zoo import card as cards
from zoo.card import Card
from zoo.errors import UserError


def read(text: str, file: Path | str) -> Card | None:
    """Return `CARD`, one expression over the names of `zoo.card` alone; None where there is none.

    A text that is no Python is refused with the line.
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
            return _value(statement.value, file)
    return None


def functions(text: str) -> list[str]:
    """Name the public functions of a source, which is Python."""
    return [
        statement.name
        for statement in ast.parse(text).body
        if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("_")
    ]


def _value(expression: ast.expr, file: Path | str) -> Card:
    code = compile(ast.Expression(expression), str(file), "eval")
    try:
        found = eval(code, dict(vars(cards)))
    except Exception as error:
        raise UserError(
            f"{file}: its CARD can't be read ({type(error).__name__}: {error}); write it as one "
            "expression over the names of zoo.card, or leave it out."
        ) from error
    if not isinstance(found, Card):
        raise UserError(f"{file}: its CARD is no zoo.Card; write Card(...), or leave it out.")
    return found
