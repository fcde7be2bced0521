"""`Preset`: trained weights under a name, and all that one must know before using them."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from zoo.errors import UserError

NAME = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")  # ARCHITECTURE.TAG
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,120}")
SHA256 = re.compile(r"[0-9a-f]{64}")
URL = re.compile(r"https?://[^\s]+")
LARGEST = 2 << 30  # bytes of a weights file


@dataclass(frozen=True)
class File:
    """One weights file, a fold's: what it must be, and where it can be had if not here."""

    file: str
    bytes: int
    sha256: str
    fold: int = 0
    record: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        _require("file", self.file, bool(FILE.fullmatch(str(self.file))))
        _require("bytes", self.bytes, _whole(self.bytes) and 0 < self.bytes <= LARGEST)
        _require("sha256", self.sha256, bool(SHA256.fullmatch(str(self.sha256))))
        _require("url", self.url, not self.url or bool(URL.fullmatch(str(self.url))))


@dataclass(frozen=True)
class Dice:
    """A region's mean Dice over patients that no file of the preset was trained on."""

    region: str
    mean: float
    lower: float
    upper: float
    patients: int


@dataclass(frozen=True)
class Preset:
    """What the manifest says of a preset; texts are meant for people."""

    name: str
    summary: str
    model: str
    rank: int
    channels: tuple[str, ...]
    layout: str
    protocol: str
    protocol_digest: str
    files: tuple[File, ...]
    dice: tuple[Dice, ...]
    variant: str = ""
    spacing: str = ""
    smallest: float = 0.0  # of the largest component: what is below is left out of masks
    data: str = ""
    intended_use: str = ""
    limits: tuple[str, ...] = ()
    licence_code: str = "Apache-2.0"
    licence_weights: str = ""
    licence_data: str = ""
    scans: tuple[str, ...] = field(default=(), repr=False)  # of those that taught it

    def __post_init__(self) -> None:
        _require("name", self.name, bool(NAME.fullmatch(str(self.name))))
        _require("rank", self.rank, self.rank in (2, 3))
        _require("files", self.files, len(self.files) > 0)

    @property
    def bytes(self) -> int:
        """Count the bytes of all files."""
        return sum(file.bytes for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Preset":
        """Read what `as_json` gave, from a manifest; a `ValueError` says what can't be meant."""
        known = {one.name: one for one in fields(cls)}
        unknown = sorted(values.keys() - known)
        if unknown:
            raise UserError(f"unknown entry {unknown[0]!r}")
        try:
            given: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values.items()
            }
            given["files"] = tuple(File(**one) for one in values["files"])
            given["dice"] = tuple(Dice(**one) for one in values["dice"])
            return cls(**given)
        except KeyError as error:
            raise UserError(f"no entry {error}") from error
        except TypeError as error:
            raise UserError(str(error)) from error


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _require(name: str, value: Any, fits: bool) -> None:
    if not fits:
        raise UserError(f"{name} can't be {repr(value)[:60]}")
