"""An architecture in a file of one's own: `./my_model.py`, or `./my_model.py:FUNCTION`."""

import hashlib
import re
from functools import cache
from pathlib import Path

from zoo.errors import UserError
from zoo.outside import cards
from zoo.outside.origin import BUILD, NAME, Origin, Outside, card_of

REFERENCE = re.compile(r"(?P<path>.+\.py)(?::(?P<function>[A-Za-z_]\w*))?")
LARGEST = 1 << 24  # bytes of a source


def is_one(reference: str) -> bool:
    """Tell whether a model's name is that of a file."""
    return REFERENCE.fullmatch(reference) is not None


def find(reference: str) -> Outside:
    """Read a file, without running it."""
    match = REFERENCE.fullmatch(reference)
    assert match is not None
    path = Path(match["path"])
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path}: is too large to be a model's source; name the right file.")
        return _of(reference, path, match["function"], path.read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no such file; `gliozoo new model {path}` writes one to start from."
        ) from None
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror or error}).") from error


@cache
def _of(reference: str, path: Path, function: str | None, source: bytes) -> Outside:
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not Python ({error}); mend it.") from error
    stated = cards.read(text, path)
    name = function or path.stem
    if not NAME.fullmatch(name):
        raise UserError(
            f"{path}: a model is called as its file, and {name!r} can't be a model's name; rename "
            "the file to letters, digits and underscores."
        )
    origin = Origin(
        kind="file",
        name=f"{path.name}:{function}" if function else path.name,
        version=None,
        sha256=hashlib.sha256(source).hexdigest(),
    )
    card = card_of(name, path.name, stated)
    return Outside(name, reference, card, origin, function or BUILD, path, source)
