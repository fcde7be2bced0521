"""Does a record agree with itself: every aggregate again, from the counts of its patients."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks import aggregate, policies
from benchmarks.record import Record

TOLERANCE = 1e-9


def mismatches(record: Record) -> list[str]:
    """Name every aggregate that the patients' counts do not give, and every count that is odd."""
    if record.status != "ok":
        return []
    if not record.patients:
        return ["patients: none, although the run finished"]
    found = [*_duplicates(record), *_odd_rows(record)]
    try:
        return found + list(_quality(record))
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
        return [*found, f"patients: cannot be scored ({type(error).__name__} {error})"]


def _duplicates(record: Record) -> Iterator[str]:
    seen: set[str] = set()
    for patient in record.patients:
        if patient["patient"] in seen:
            yield f"patients.{patient['patient']}: is there twice"
        seen.add(patient["patient"])
    expected = record.data.get("n_test")
    if isinstance(expected, int) and expected != len(seen):
        yield f"data.n_test: recorded {expected}, there are {len(seen)} patients"


def _odd_rows(record: Record) -> Iterator[str]:
    for patient in record.patients:
        for region, row in patient["regions"].items():
            place = f"patients.{patient['patient']}.{region}"
            yield from (f"{place}.{problem}" for problem in _problems(row))


def _problems(row: Mapping[str, Any]) -> Iterator[str]:
    """Check what a row says of itself: whole counts, the status they imply, slices that add up."""
    counts = [row.get(name) for name in ("tp", "fp", "fn", "tn")]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        yield f"counts: expected whole numbers from 0, recorded {counts}"
        return
    status = _status(row)
    if row.get("status") != status:
        yield f"status: recorded {row.get('status')!r}, the counts say {status!r}"
    if row.get("slices"):
        for place, name in enumerate(("tp", "fp", "fn")):
            total = sum(counts[place] for counts in row["slices"])
            if total != row[name]:
                yield f"{name}: recorded {row[name]}, its slices add up to {total}"


def _status(row: Mapping[str, Any]) -> str:
    reference, prediction = row["tp"] + row["fn"] > 0, row["tp"] + row["fp"] > 0
    if reference:
        return "ok" if prediction else "pred_empty"
    return "ref_empty" if prediction else "both_empty"


def _quality(record: Record) -> Iterator[str]:
    for policy in policies.POLICIES:
        if policy in record.quality:
            recomputed = aggregate.summary(record.patients, policy)
            yield from _compare(record.quality[policy], recomputed, f"quality.{policy}")
        else:
            yield f"quality.{policy}: is missing"


def _compare(recorded: Any, recomputed: Any, place: str) -> Iterator[str]:
    """Walk both trees; what is recorded beyond the recomputed is not an aggregate and passes."""
    if isinstance(recomputed, Mapping):
        if not isinstance(recorded, Mapping):
            yield f"{place}: is missing"
            return
        for name, value in recomputed.items():
            yield from _compare(recorded.get(name), value, f"{place}.{name}")
    elif not _equal(recorded, recomputed):
        yield f"{place}: recorded {recorded}, the patients give {recomputed}"


def _equal(recorded: Any, recomputed: Any) -> bool:
    if recorded is None or recomputed is None:
        return recorded is recomputed
    return isinstance(recorded, int | float) and math.isclose(
        recorded, recomputed, rel_tol=TOLERANCE, abs_tol=TOLERANCE
    )
