"""A protocol as TOML: a file's tables put over frozen settings, and settings printed as a file.

The names are those that records print. TOML has no null: `"none"` stands for it, where it may.
"""

import dataclasses
import difflib
import json
import math
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from data_pipeline.augmenting.augmentation import Augmentation

SUFFIX = ".toml"
NONE = "none"
LARGEST = 1 << 20  # bytes of a protocol
_KINDS = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "a list",
}


def is_file(name: str) -> bool:
    """Tell whether a protocol's name is that of a file."""
    return name.endswith(SUFFIX)


def read(path: Path) -> dict[str, Any]:
    """Return the tables of a file."""
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path}: is too large to be a protocol; name the right file.")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no such protocol; `gliozoo new protocol {path}` writes one to start "
            "from."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: is not TOML ({reason}); mend it.") from error


def require_known(given: Mapping[str, Any], known: list[str], where: str) -> None:
    """Refuse a key that nothing reads, with the closest one that something does."""
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UserError(f"{where} has no {key!r}.{hint} Known: {', '.join(known)}.")


def changed(settings: Any, table: Any, where: str) -> Any:
    """Return a frozen dataclass with the values of a table put over its own."""
    if not isinstance(table, dict):
        raise UserError(f"Expected {where} to be a table. Received: {table!r:.80}.")
    kinds = typing.get_type_hints(type(settings), localns={"Augmentation": Augmentation})
    require_known(table, list(kinds), where)
    return dataclasses.replace(
        settings,
        **{
            key: _value(value, kinds[key], getattr(settings, key), f"{where}.{key}")
            for key, value in table.items()
        },
    )


def _value(value: Any, kind: Any, own: Any, where: str) -> Any:
    """Return a value of a file as a field of this kind has it; `own` is what stood there."""
    if isinstance(kind, types.UnionType):
        if value == NONE:
            return None
        (kind,) = (each for each in kind.__args__ if each is not types.NoneType)
    if dataclasses.is_dataclass(kind):
        made = kind() if own is None and isinstance(kind, type) else own
        return changed(made, value, where)
    origin = typing.get_origin(kind) or kind
    if origin is Mapping and isinstance(value, dict):
        return {key: _plain(item, f"{where}.{key}") for key, item in value.items()}
    if origin is tuple and isinstance(value, list):
        item = kind.__args__[0]
        return tuple(_value(each, item, None, where) for each in value)
    if origin is float and type(value) is int:
        return float(value)
    if origin is Mapping or type(value) is not origin:
        expected = _KINDS.get(origin, "a table")
        raise UserError(f"Expected {where} to be {expected}. Received: {value!r:.80}.")
    return _plain(value, where)


def _plain(value: Any, where: str) -> Any:
    """Refuse what a record could not print: dates, and numbers that are none."""
    if isinstance(value, list):
        return [_plain(item, where) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, where) for key, item in value.items()}
    if not isinstance(value, str | int | float) or not _finite(value):
        raise UserError(f"Expected {where} to be a text or a number. Received: {value!s:.80}.")
    return value


def _finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def text(name: str, parts: Mapping[str, Any]) -> str:
    """Print a protocol, as `Protocol.as_json` gives it, as a file that gives the same again."""
    lines = [f"name = {_printed(name)}"]
    for part, values in parts.items():
        lines += _table(part, values)
    return "\n".join(lines) + "\n"


def _table(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n[{name}]"
    for key, value in values.items():
        if not isinstance(value, Mapping):
            yield f"{_key(key)} = {_printed(value)}"
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _table(f"{name}.{_key(key)}", value)


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else _printed(key)


def _printed(value: Any) -> str:
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_printed, value))}]"
    if isinstance(value, float):
        return repr(value)
    # JSON's texts are TOML's, but for one control character.
    return json.dumps(value).replace("\x7f", "\\u007f")
