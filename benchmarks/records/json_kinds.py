"""Kinds of JSON values: what a value must be, and where in a document the first one is not.

A kind looks at thousands of values in one go (`fit`), because most documents are good; only in a
bad one are they asked one by one (`find`), for a sentence with the place. Fields that a kind does
not name may hold anything.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

LARGEST = 2**53  # beyond it a float64 skips whole numbers
SHOWN = 60  # characters of a value that does not fit
_CALLED: dict[Any, str] = {dict: "an object", list: "a list"}


@dataclass(frozen=True)
class Kind:
    """`fit` says whether all of some values fit; `find` returns where one does not, and why."""

    fit: Callable[[Sequence[Any]], bool]
    find: Callable[[Any], str | None]


def _plain(what: str, fit: Callable[[Sequence[Any]], bool]) -> Kind:
    """Return the kind of a value without parts, which is a place itself."""
    return Kind(fit, lambda value: None if fit([value]) else _expected(what, value))


def _expected(what: str, value: Any) -> str:
    told = _CALLED.get(type(value)) or _printed(value)
    return f": expected {what}. Received: {told if len(told) <= SHOWN else told[:SHOWN] + '...'}."


def _printed(value: Any) -> str:
    """Print a value; Python refuses to print whole numbers of thousands of digits."""
    is_endless = type(value) is int and abs(value) >= 10**40
    return "a number of more than 40 digits" if is_endless else ascii(value)


def _types(values: Collection[Any]) -> set[type]:
    return set(map(type, values))


def whole(low: int = 0, high: int = LARGEST) -> Kind:
    """Fit whole numbers of a range; true and false are none."""

    def fit(values: Sequence[Any]) -> bool:
        return not values or (_types(values) == {int} and low <= min(values) <= max(values) <= high)

    return _plain(f"a whole number from {low:,} to {high:,}", fit)


def number(low: float = -1e30, high: float = 1e30) -> Kind:
    """Fit finite numbers of a range."""

    def fit(values: Sequence[Any]) -> bool:
        types = _types(values)
        return not values or (types <= {int, float} and low <= min(values) <= max(values) <= high)

    return _plain(f"a number from {low:g} to {high:g}", fit)


def text(longest: int) -> Kind:
    """Fit text that can be written to a file, of up to so many characters."""

    def fit(values: Sequence[Any]) -> bool:
        if _types(values) - {str} or max(map(len, values), default=0) > longest:
            return False
        return all(map(str.isascii, values)) or all(map(_is_text, values))

    return _plain(f"text of up to {longest:,} characters", fit)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def one_of(*words: str) -> Kind:
    """Fit some words."""
    known = set(words)
    return _plain(
        " or ".join(map(repr, words)),
        lambda values: _types(values) <= {str} and known.issuperset(values),
    )


def flag() -> Kind:
    """Fit true and false."""
    return _plain("true or false", lambda values: _types(values) <= {bool})


def or_none(kind: Kind) -> Kind:
    """Fit null as well."""
    return Kind(
        lambda values: kind.fit([value for value in values if value is not None]),
        lambda value: None if value is None else kind.find(value),
    )


def fields(needed: Mapping[str, Kind], optional: Mapping[str, Kind] | None = None) -> Kind:
    """Fit objects that have all of `needed`; what is there of `optional` has to fit as well."""
    kinds = {**needed, **(optional or {})}

    def fit(values: Sequence[Any]) -> bool:
        if _types(values) - {dict}:
            return False
        for name, kind in kinds.items():
            column = _column(values, name)
            if (name in needed and len(column) < len(values)) or not kind.fit(column):
                return False
        return True

    def find(value: Any) -> str | None:
        if type(value) is not dict:
            return _expected("an object", value)
        missing = [f".{name}: is missing." for name in needed if name not in value]
        told = (_under(f".{name}", kinds[name], value[name]) for name in kinds if name in value)
        return next(filter(None, chain(missing, told)), None)

    return Kind(fit, find)


def _column(values: Sequence[dict[str, Any]], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), values))  # most objects of a list have the same fields
    except KeyError:
        return [value[name] for value in values if name in value]


def _under(place: str, kind: Kind, value: Any) -> str | None:
    problem = kind.find(value)
    return None if problem is None else place + problem


def named(kind: Kind, most: int) -> Kind:
    """Fit objects of up to so many entries of one kind, under any names."""
    name = text(1_000)

    def fit(values: Sequence[Any]) -> bool:
        if _types(values) - {dict} or max(map(len, values), default=0) > most:
            return False
        keys, items = chain.from_iterable(values), (value.values() for value in values)
        return name.fit(list(keys)) and kind.fit(list(chain.from_iterable(items)))

    def find(value: Any) -> str | None:
        if type(value) is not dict or len(value) > most:
            return _expected(f"an object of up to {most:,} entries", value)
        names = (_under(": a name in it", name, key) for key in value)
        items = (_under(f".{key[:SHOWN]}", kind, item) for key, item in value.items())
        return next(filter(None, chain(names, items)), None)

    return Kind(fit, find)


def listed(kind: Kind, most: int) -> Kind:
    """Fit lists of one kind, of up to so many entries."""

    def fit(values: Sequence[Any]) -> bool:
        if _types(values) - {list} or max(map(len, values), default=0) > most:
            return False
        return kind.fit(list(chain.from_iterable(values)))

    def find(value: Any) -> str | None:
        if type(value) is not list or len(value) > most:
            return _expected(f"a list of up to {most:,} entries", value)
        if kind.fit(value):
            return None
        told = (_under(f"[{place}]", kind, item) for place, item in enumerate(value))
        return next(filter(None, told), None)

    return Kind(fit, find)


def rows(width: int, most: int) -> Kind:
    """Fit matrices of counts: lists of `width` whole numbers each, at least one."""
    lists, counts = listed(_plain("", lambda values: True), most), whole()

    def fit(values: Sequence[Any]) -> bool:
        if not lists.fit(values) or not all(values):
            return False
        flat = list(chain.from_iterable(values))
        if _types(flat) - {list} or set(map(len, flat)) - {width}:
            return False
        try:
            return counts.fit(list(set(chain.from_iterable(flat))))  # few of thousands differ
        except TypeError:  # a list among the counts
            return False

    return _plain(f"up to {most:,} lists of {width} whole numbers from 0", fit)
