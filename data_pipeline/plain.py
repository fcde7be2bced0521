"""Settings as plain JSON values, in a form that new settings leave as it was.

A protocol's digest is made of this form. A field that came later is left out while it has its
default, so a protocol that doesn't use it keeps its digest, and the records made under it.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

LATER = {"later": True}  # the metadata of such a field


def plain(value: Any) -> Any:
    """Turn dataclasses, mappings and sequences, however nested, into dicts and lists."""
    if dataclasses.is_dataclass(value):
        told = (item for item in dataclasses.fields(value) if not _untold(item, value))
        return {item.name: plain(getattr(value, item.name)) for item in told}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _untold(item: dataclasses.Field, owner: Any) -> bool:
    return item.metadata == LATER and getattr(owner, item.name) == item.default
