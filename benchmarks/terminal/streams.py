"""Standard output and error as they come: any encoding, a reader that leaves, foreign names.

Names of files, patients and models come from others, and a terminal obeys what they may hold: what
is printed of them goes through `shown`.
"""

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

SPELLED = "gliozoo"  # how Python's streams call the way to treat what they can't encode
_OBEYED = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, turns of direction, halves, ends of lines
_PLAIN = {"²": "^2", "³": "^3", "–": "-", "—": "-", "−": "-", "×": "x", "†": "+", "…": "..."}


def shown(text: object) -> str:
    """Return a text on one line, with what a terminal would obey escaped."""
    return "".join(
        _escaped(char) if unicodedata.category(char) in _OBEYED else char for char in str(text)
    )


def say(line: object) -> None:
    """Tell the user on standard error."""
    print(shown(line), file=sys.stderr, flush=True)


def settle() -> None:
    """Let both streams take any text: what their encoding lacks is spelled in ASCII."""
    codecs.register_error(SPELLED, _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SPELLED)


@contextmanager
def heard() -> Iterator[None]:
    """End a command quietly, with exit code 1, when whoever reads it has gone."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # here, because at the exit nobody could catch it
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        raise SystemExit(1) from None


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _spelled(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(char: str) -> str:
    bare = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return _PLAIN.get(char) or bare or _escaped(char)
