"""The one error of the zoo that is its user's to mend."""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """An input or environment that the user can mend: one sentence, no traceback, exit code 2."""


def choose(value: str, choices: Iterable[str], what: str) -> str:
    """Return `value` if it is among `choices`; otherwise name the closest one."""
    choices = list(choices)
    if value in choices:
        return value
    close = difflib.get_close_matches(value, choices, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    known = ", ".join(choices) or "none"
    raise UserError(f"Unknown {what} {value!r}.{hint} Known: {known}.")
