"""What a weights file says of itself, believed only where each entry is of its type and range.

Bounds are far above any network here: they keep a made-up header from asking for a machine's whole
memory before the first tensor is compared.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.building import Identity
from zoo.outside.origin import NAME, Origin
from zoo.registry import card, names

# Settings that say where the first weights came from: of no meaning once there is a file, and a
# stranger's file may name neither a path nor a download.
ORIGINS = ("encoder_weights",)

CLASSES = 256  # label maps are of 8 bits
VALUES = 2**28  # of one input: 512 x 512 x 512 x 2
WIDTH = 64.0
CHANNELS = 4096  # of one layer
COUNT = 64  # a setting that is a number of steps, blocks or rates
LONGEST = 16  # entries of a setting

FIELDS = frozenset(
    (
        *("architecture", "variant", "input_shape", "classes", "width", "settings"),
        *("card_digest", "sha256", "about", "origin"),
    )
)
OPTIONAL = frozenset(("about", "origin"))


class HeaderError(Exception):
    """An entry of a header is not what it must be: the reason as a part of a sentence."""


@dataclass(frozen=True)
class Header:
    """What a weights file says of itself."""

    identity: Identity
    card_digest: str
    sha256: str
    about: Mapping[str, Any]


def of_facts(facts: Mapping[str, Any]) -> Header:
    """Return the header that a file's facts make; `about` is its writer's own to check."""
    about = facts.get("about", {})
    _require("about", about, isinstance(about, dict), "a JSON object")
    return Header(
        identity=_identity(facts),
        card_digest=_sha256("card_digest", facts.get("card_digest")),
        sha256=_sha256("sha256", facts.get("sha256")),
        about=about,
    )


def settings_of(identity: Identity) -> dict[str, object]:
    """Return the settings that change what a model computes, with lists as tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in identity.settings.items()
        if name not in ORIGINS
    }


def require_room(widths: tuple[int, ...], tensors: Mapping[str, Any]) -> None:
    """Refuse channels that the file's tensors can't have: each level has a kernel of its square.

    What is built before the tensors are compared stays within six hundred times the file, and an
    encoder of a fixed size.
    """
    held = sum(tensor.size for tensor in tensors.values())
    fits = max(widths) <= CHANNELS and sum(width**2 for width in widths) <= held
    _require("width", max(widths), fits, f"channels that its {held} weights can fill")


def _identity(facts: Mapping[str, Any]) -> Identity:
    name, variant = facts.get("architecture"), facts.get("variant")
    origin = _origin(facts)
    if origin:
        ranks: tuple[int, ...] = (2, 3)  # its source is named by whoever uses the file, and asked
        _require("architecture", name, _outside(name), "the name of a model from outside the zoo")
        _require("variant", variant, variant is None or _simple(variant), "a word")
    else:
        _require(
            "architecture", name, name in names(), "the name of an architecture of this version"
        )
        known = card(str(name))
        ranks, choices = known.ranks, (None, *known.variants)
        _require("variant", variant, variant in choices, f"one of {', '.join(map(str, choices))}")
    classes, width = facts.get("classes"), facts.get("width")
    _require("classes", classes, _whole(classes, 1, CLASSES), f"from 1 to {CLASSES}")
    _require("width", width, _number(width) and 0 < width <= WIDTH, f"above 0, up to {WIDTH:g}")  # type: ignore[operator]
    shape, settings = _shape(facts.get("input_shape"), ranks), _settings(facts.get("settings"))
    return Identity(str(name), variant, shape, classes, width, settings, origin)  # type: ignore[arg-type]


def _origin(facts: Mapping[str, Any]) -> Origin | None:
    told = facts.get("origin")
    try:
        return None if told is None else Origin.from_json(told)
    except ValueError as error:
        raise HeaderError(f"expected origin in its header otherwise: {error}") from error


def _outside(name: Any) -> bool:
    return isinstance(name, str) and bool(NAME.fullmatch(name)) and name not in names()


def _shape(value: Any, ranks: tuple[int, ...]) -> tuple[int | None, ...]:
    sides = value if isinstance(value, list) else []
    fits = len(sides) - 1 in ranks and all(
        _whole(side, 1, VALUES) or (side is None and place < len(sides) - 1)
        for place, side in enumerate(sides)
    )
    fits = fits and math.prod(side or 1 for side in sides) <= VALUES
    listed = " or ".join(str(rank + 1) for rank in ranks)
    _require("input_shape", value, fits, f"{listed} sides with at most {VALUES} values in all")
    return tuple(sides)


def _settings(value: Any) -> dict[str, object]:
    _require("settings", value, isinstance(value, dict), "a JSON object")
    for name, setting in value.items():
        _require(f"settings.{name}"[:60], setting, _simple(setting), "a plain number or word")
    return {
        name: tuple(setting) if isinstance(setting, list) else setting
        for name, setting in value.items()
        if name not in ORIGINS
    }


def _simple(setting: Any) -> bool:
    if isinstance(setting, list):
        return 0 < len(setting) <= LONGEST and all(_whole(n, 1, CHANNELS) for n in setting)
    if isinstance(setting, str):
        return len(setting) <= 64
    return (
        setting is None or isinstance(setting, bool) or (_number(setting) and abs(setting) <= COUNT)
    )


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _number(value: Any) -> bool:
    """Tell numbers; those too large for a float, NaN and infinity are none."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and -1e300 < value < 1e300


def _sha256(name: str, value: Any) -> str:
    fits = isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")
    _require(name, value, fits, "a SHA-256")
    return str(value)


def _require(name: str, value: Any, fits: bool, wanted: str) -> None:
    if not fits:
        received = repr(value)[:60]
        raise HeaderError(f"expected {name} in its header to be {wanted}. Received: {received}")
