"""`Outside`: an architecture that is not the zoo's, known by the SHA-256 of its source."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from zoo.card import Card

KINDS = ("file", "package")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
BUILD = "build"


@dataclass(frozen=True)
class Origin:
    """Where a source comes from, as records and weights files tell it; its hash is its identity."""

    kind: str
    name: str  # of the file, with the function where it is not `build`; or of the package
    version: str | None
    sha256: str

    @property
    def mark(self) -> str:
        """Return what tells sources of one name apart."""
        return self.sha256[:8]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> "Origin":
        """Read back what `as_json` gave; a `ValueError` where it can't be that."""
        if not isinstance(values, Mapping) or set(values) != {*cls.__dataclass_fields__}:
            raise ValueError("expected kind, name, version and sha256")
        found = cls(**values)
        texts = (found.name, found.version or "-", found.sha256)
        if not all(isinstance(text, str) and 0 < len(text) <= 200 for text in texts):
            raise ValueError("name, version and sha256 are texts")
        if found.kind not in KINDS or not re.fullmatch(r"[0-9a-f]{64}", found.sha256):
            raise ValueError("kind is file or package, and sha256 a SHA-256")
        return found


@dataclass(frozen=True)
class Outside:
    """An architecture as it lies there, not yet run."""

    name: str  # in tables and records
    reference: str  # as a user types it
    card: Card = field(hash=False)
    origin: Origin
    function: str
    place: Path | str  # of the file; or the module's name
    source: bytes = field(default=b"", repr=False)  # of a file: what is run is what was hashed


def card_of(name: str, source: str, stated: Card | None) -> Card:
    """Return the card that a source states, or one that claims nothing; claims stay outside."""
    if stated is not None:
        return replace(stated, claims=())
    return Card(
        title=name,
        paper="not stated",
        source=source,
        ranks=(2, 3),
        input_shape=(128, 128, 3),
        classes=1,
        references=(),
    )
