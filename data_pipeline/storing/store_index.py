"""What a finished store says of itself, believed only where all of it can be meant.

A digest over the index shows torn and altered ones; whoever computes it anew meets the types, sizes
and names that are checked here.
"""

import re
from collections.abc import Callable, Mapping
from math import isfinite, prod
from pathlib import Path
from typing import Any

from data_pipeline.files import digests, whole_files

INDEX = "index.json"
STEM = re.compile(r"[A-Za-z0-9-]{1,80}")
DIGEST = re.compile(r"[0-9a-f]{64}")
ITEM_BYTES = {"uint8": 1, "int16": 2}
LARGEST_SIDE = 1 << 20


def read(path: Path) -> dict[str, Any] | None:
    """Read the index of a store; None where it is torn, altered or can't be meant."""
    index = whole_files.read_json(path / INDEX)
    if not isinstance(index, dict):
        return None
    content = {key: value for key, value in index.items() if key != "digest"}
    if index.get("digest") != digests.digest(content, 64):
        return None
    return index if _fits(index) else None


def _fits(index: Mapping[str, Any]) -> bool:
    about, cases, preparation = (index.get(key) for key in ("about", "cases", "preparation"))
    if not isinstance(about, dict) or not isinstance(preparation, dict):
        return False
    channels = preparation.get("channels")
    return (
        _is_text(index.get("key"))
        and _about_fits(about)
        and isinstance(channels, list)
        and isinstance(cases, list)
        and bool(cases)
        and all(case_fits(case, len(channels)) for case in cases)
        and len({case["name"] for case in cases}) == len(cases)
    )


def _about_fits(about: Mapping[str, Any]) -> bool:
    return (
        _is_text(about.get("layout"))
        and "version" in about
        and (about["version"] is None or _is_text(about["version"]))
        and _dict_of(about.get("labels"), _is_label)
        and _dict_of(about.get("burdens"), _is_finite)
        and _list_of(about.get("regions"), _is_region)
    )


def case_fits(case: Any, channels: int) -> bool:
    """Whether the part of a case names its own two files, and their sizes are those of its grid."""
    if not isinstance(case, dict) or case.keys() != FIELDS.keys():
        return False
    if not all(fits(case[key]) for key, fits in FIELDS.items()) or len(case["scales"]) != channels:
        return False
    names = {f"{case['stem']}.records", f"{case['stem']}.labels.npz"}
    shape = case["geometry"]["shape"]
    size = prod(shape) * (channels + 1) * ITEM_BYTES[case["dtype"]]
    return (
        case["bytes"].keys() == names == case["sha256"].keys()
        and case["bytes"][f"{case['stem']}.records"] == size
        and len(case["lesion"]) == shape[0]
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any, least: int = 0, most: int = 1 << 62) -> bool:
    return type(value) is int and least <= value <= most


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300 and isfinite(value)


def _is_positive(value: Any) -> bool:
    return _is_finite(value) and value > 0


def _is_label(value: Any) -> bool:
    return _is_whole(value, 0, 255)


def _is_side(value: Any) -> bool:
    return _is_whole(value, 1, LARGEST_SIDE)


def _is_region(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and (_is_text(value[0]) and _list_of(value[1], _is_label))
    )


def _is_span(value: Any) -> bool:
    """Whether a value is where a box begins and ends along an axis: it may reach over the rim."""
    whole = isinstance(value, list) and len(value) == 2
    return whole and all(_is_whole(n, -LARGEST_SIDE, LARGEST_SIDE) for n in value)


def _is_geometry(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"native", "box", "shape"}:
        return False
    sides = (value["native"], value["shape"])
    return (
        all(_list_of(side, _is_side, 3) for side in sides)
        and _list_of(value["box"], _is_span, 3)
        and all(start < stop for start, stop in value["box"])
    )


def _list_of(value: Any, fits: Callable[[Any], bool], count: int = 0) -> bool:
    """Whether a value is a list of these: as many as `count`, or at least one."""
    if not isinstance(value, list) or not value or (count and len(value) != count):
        return False
    return all(map(fits, value))


def _dict_of(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(fits, value.values()))


FIELDS: Mapping[str, Callable[[Any], bool]] = {
    "name": _is_text,
    "patient": _is_text,
    "stem": lambda value: _is_text(value) and STEM.fullmatch(value) is not None,
    "dtype": lambda value: _is_text(value) and value in ITEM_BYTES,
    "scales": lambda value: _list_of(value, _is_positive),
    "geometry": _is_geometry,
    "spacing": lambda value: _list_of(value, _is_positive, 3),
    "in_mm": lambda value: isinstance(value, bool),
    "lesion": lambda value: _list_of(value, _is_whole),
    "bytes": lambda value: _dict_of(value, _is_whole),
    "sha256": lambda value: _dict_of(value, lambda v: _is_text(v) and bool(DIGEST.fullmatch(v))),
}
