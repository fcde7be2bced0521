"""Who was in which set: what a record says of its split, against its own patients and digests."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from benchmarks.records.record import Record
from data_pipeline.files.listing import patient_of
from data_pipeline.sources import own
from data_pipeline.splitting.split import SETS, Split


def mismatches(one: Record) -> Iterator[str]:
    """Name what the patients and the sets of a finished run do not agree on."""
    names = [patient["patient"] for patient in one.patients]
    yield from _repeated(names)
    yield from _leaky(one)
    members = one.data.get("split")
    if members:
        yield from _sets(one.data, members, names)
    else:
        yield from _number(one.data, names)


def _repeated(names: Sequence[str]) -> Iterator[str]:
    if len(set(names)) < len(names):
        seen: set[str] = set()
        for name in names:
            if name in seen:
                yield f"patients.{name}: is there twice"
            seen.add(name)


def _leaky(one: Record) -> Iterator[str]:
    """A leaky split says so three times: in the protocol, in the data, and in its digest."""
    leaky, digest = bool(one.data.get("leaky")), one.data.get("split_digest")
    terms = one.protocol.get("data")
    asked = terms.get("leaky") if isinstance(terms, Mapping) else None
    if asked is not None and bool(asked) != leaky:
        yield f"data.leaky: recorded {leaky}, the protocol says {bool(asked)}"
    if digest and digest.startswith("leaky-") != leaky:
        yield f"data.leaky: recorded {leaky}, the split is {digest}"


def _number(data: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """A patient may have been examined several times, which is a row each."""
    recorded = data.get("n_test")
    if recorded in (None, len(set(names))):
        return
    patients = set(map(patient_of, names))
    if recorded != len(patients) and (_named_by_case(data) or recorded > len(names)):
        yield f"data.n_test: recorded {recorded}, there are {len(patients)} patients"


def _named_by_case(data: Mapping[str, Any]) -> bool:
    """Tell whether the names of cases say who the patient is: of one's own data they need not."""
    return data.get("layout") in own() and data["layout"] != "described"


def _sets(data: Mapping[str, Any], members: Mapping[str, Any], names: Sequence[str]):
    sets = {name: tuple(members.get(name) or ()) for name in SETS}
    digest = Split(sets["train"], sets["val"], sets["test"]).digest
    if digest != data.get("split_digest"):
        yield f"data.split_digest: recorded {data.get('split_digest')}, the sets give {digest}"
    for a, b in combinations(SETS, 2):
        for name in sorted({*sets[a]} & {*sets[b]}):
            yield f"data.split: {name} is in {a} and in {b}"
    for name, one in sets.items():
        if data.get(f"n_{name}") not in (None, len(one)):
            yield f"data.n_{name}: recorded {data[f'n_{name}']}, the set has {len(one)}"
    test = {*sets["test"]}
    if _named_by_case(data) and test not in ({*names}, {*map(patient_of, names)}):
        yield "patients: are not those of the split's test set"
