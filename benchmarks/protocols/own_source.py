"""A function in a file of one's own, `./losses.py:mine`, known by the SHA-256 of its source.

Records name it as `losses.py:mine@SHA256`, so that a protocol's digest changes with its source.
"""

import ast
import hashlib
import re
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError

REFERENCE = re.compile(r"(?P<path>[^+]+\.py):(?P<name>[A-Za-z_]\w*)(@(?P<sha256>[0-9a-f]{64}))?")


@dataclass(frozen=True)
class OwnSource:
    """A function as it lies in its file, not yet run."""

    path: Path
    name: str
    source: bytes

    @property
    def sha256(self) -> str:
        """Return the digest of the file."""
        return hashlib.sha256(self.source).hexdigest()

    def __str__(self) -> str:
        return f"{self.path.name}:{self.name}@{self.sha256}"


def is_one(text: str) -> bool:
    """Tell whether a name is that of a function in a file."""
    return REFERENCE.fullmatch(text.strip()) is not None


def require_apart(texts: Sequence[str], what: str) -> None:
    """Refuse what names no function in a file, and one name for two of them."""
    names = [REFERENCE.fullmatch(text.strip()) for text in texts]
    for text, match in zip(texts, names, strict=True):
        if match is None:
            raise UserError(f"Expected {what} as './{what}.py:NAME'. Received: {text!r:.80}.")
    told = [match["name"] for match in names if match]
    if len({*told}) < len(told):
        raise UserError(f"Expected a name of its own for each of {what}. Received: {told}.")


def beside(text: str, folder: Path) -> str:
    """Return a sum of names with its files looked for from a folder on."""
    return "+".join(
        str(folder / part.strip()) if is_one(part) else part.strip() for part in text.split("+")
    )


def told(text: str) -> str:
    """Return a sum of names as records have it: files by their names and hashes."""
    if not any(map(is_one, text.split("+"))):
        return text
    return "+".join(str(find(part)) if is_one(part) else part.strip() for part in text.split("+"))


def find(text: str, needed: Sequence[str] = (), kind: str = "loss") -> OwnSource:
    """Read a file, and look that its functions are there, without running it.

    Those are the ones that are needed; without them, the one that is named.
    """
    match = REFERENCE.fullmatch(text.strip())
    if match is None:
        raise UserError(f"{text}: expected a path without '+' that ends in .py:NAME; rename it.")
    path, name = Path(match["path"]), match["name"]
    try:
        source = path.read_bytes()
        tree = ast.parse(source.decode("utf-8"))
    except OSError as error:
        raise UserError(
            f"{path}: can't be read ({error.strerror or error}); `gliozoo new {kind} {path}` "
            "writes one to start from."
        ) from error
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"line {line}: " if line else ""
        raise UserError(
            f"{path}: is not Python ({where}{getattr(error, 'msg', error)}); mend it."
        ) from error
    there = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
    for one in needed or (name,):
        if one not in there:
            has = ", ".join(there) or "none"
            raise UserError(f"{path}: has no function {one!r}; it has {has}.")
    found = OwnSource(path, name, source)
    if match["sha256"] not in (None, found.sha256):
        raise UserError(
            f"{path}: is another source than the protocol was made with (SHA-256 "
            f"{found.sha256[:12]}, not {match['sha256'][:12]}); give it as it was."
        )
    return found


def load(text: str) -> Callable[..., Any]:
    """Run the file and return the function."""
    found = find(text)
    return getattr(run(found), found.name)


def run(found: OwnSource) -> types.ModuleType:
    """Run the file and return what it made."""
    module = types.ModuleType(f"gliozoo_own_{found.sha256[:8]}_{found.path.stem}")
    module.__file__ = str(found.path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(found.source, str(found.path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise UserError(
            f"{found.path}: raises {type(error).__name__}: {' '.join(str(error).split())[:200]} "
            "when it is imported; mend it."
        ) from error
    return module
