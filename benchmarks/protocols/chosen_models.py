"""Which models a user means: a name, a wildcard, a comma list, or `all`."""

from fnmatch import fnmatchcase

import zoo
from benchmarks.errors import UserError
from benchmarks.protocols import protocol
from zoo.registry import require


def models(text: str, protocol_name: str) -> tuple[list[str], list[str]]:
    """Return the models meant, and those left out because the protocol can't take them.

    A wildcard and `all` mean the zoo's own; a file or a package's model is named.

    Only a wildcard or `all` leaves out; a model that was named and can't be taken is a mistake.
    """
    if not text.strip():
        raise UserError(
            "Usage: gliozoo bench MODEL, or make bench MODEL=mod_r2au; a model is one of "
            f"{', '.join(zoo.names())}, a file such as ./my_model.py, a comma list, a wildcard, "
            "or all."
        )
    taken: dict[str, None] = {}
    left_out = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        if part == "all" or any(mark in part for mark in "*?["):
            matching = [name for name in zoo.names() if part == "all" or fnmatchcase(name, part)]
            if not matching:
                raise UserError(f"No model matches {part!r}. Known: {', '.join(zoo.names())}.")
            for name in matching:
                if _fits(name, protocol_name):
                    taken[name] = None
                else:
                    left_out.append(name)
        else:
            protocol.find(protocol_name, require(part))
            taken[part] = None
    if not taken:
        raise UserError(f"No model to run: {text!r} names none that {protocol_name!r} can take.")
    return list(taken), left_out


def _fits(model: str, protocol_name: str) -> bool:
    try:
        protocol.find(protocol_name, model)
    except protocol.WrongRankError:
        return False
    return True
