"""Does a record agree with itself: its digests, and every aggregate again from its patients."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.protocols.protocol import digest_of
from benchmarks.records import door, membership, record, recount, seal
from benchmarks.records.record import Record
from benchmarks.scoring import policies
from benchmarks.scoring.tally import STATUSES, Tally

TOLERANCE = 1e-9
BROKEN = "seal: the content was changed after it was written"
_ODD = (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError, OverflowError)


@dataclass(frozen=True)
class Examined:
    """A record as it was read, and what is wrong with it; older ones have no seal."""

    record: Record
    problems: tuple[str, ...]
    is_sealed: bool
    tally: Tally | None  # where the rows of its patients make sense


def examine(path: Path) -> Examined:
    """Read a record and check all of it; UserError where it is none, without its path."""
    content = door.content(path)
    document = door.parsed(content)
    found = record.from_dict(document)
    is_sealed = document.get("schema", 0) > 1
    broken = [BROKEN] if is_sealed and not seal.holds(content, document) else []
    tally = _tally(found)
    problems = (*broken, *mismatches(found, tally))
    return Examined(found, problems, is_sealed, tally)


def _tally(one: Record) -> Tally | None:
    try:
        return Tally.of(one.patients) if one.patients and one.status == "ok" else None
    except _ODD:
        return None


def mismatches(one: Record, tally: Tally | None = None) -> list[str]:
    """Name every digest, count and aggregate that a record's own content does not give."""
    found = [*_protocol(one)]
    if one.status != "ok":
        return found
    if not one.patients:
        return [*found, "patients: none, although the run finished"]
    found += membership.mismatches(one)
    try:
        tally = tally or Tally.of(one.patients)
        problems = [*_odd_rows(tally)]
        return [*found, *problems, *_quality(one, tally)]
    except _ODD as error:
        return [*found, f"patients: cannot be scored ({type(error).__name__} {error})"]


def _protocol(one: Record) -> Iterator[str]:
    """Compare the digest with that of the terms; very old records had none."""
    digest = digest_of(one.protocol)
    if one.protocol_digest not in ("", digest):
        yield f"protocol_digest: recorded {one.protocol_digest[:8]}, its terms give {digest[:8]}"


def _odd_rows(tally: Tally) -> Iterator[str]:
    """Check what rows say of themselves: whole counts, the status they imply, slices that add up.

    All rows are looked at together; only if that finds anything is each one asked.
    """
    states = [STATUSES[place] for place in tally.status.ravel().tolist()]
    told = [row.get("status") for row in tally.rows]
    odd = np.array([a != b for a, b in zip(states, told, strict=True)])
    odd |= _added(tally).ravel() | (tally.counts.sum(axis=-1) <= 0).ravel()
    odd |= (tally.counts < 0).any(axis=-1).ravel() | (tally.counts % 1 != 0).any(axis=-1).ravel()
    odd |= (np.isnan(tally.number("diagonal_mm")) & (tally.status != 0)).ravel()
    for place in np.flatnonzero(odd).tolist():
        patient, region = divmod(place, len(tally.regions))
        where = f"patients.{tally.patients[patient]}.{tally.regions[region]}"
        problems = _problems(tally.rows[place], states[place])
        yield from (f"{where}.{problem}" for problem in problems)


def _added(tally: Tally) -> np.ndarray:
    """Say of which rows the slices add up to other counts."""
    ends = np.cumsum(tally.depths.ravel())
    sums = np.add.reduceat(tally.slices, np.concatenate([[0], ends[:-1]]))
    return (sums.reshape(*tally.depths.shape, 3) != tally.counts[..., :3]).any(axis=-1)


def _problems(row: Mapping[str, Any], status: str) -> Iterator[str]:
    counts = [row[name] for name in ("tp", "fp", "fn", "tn")]
    if not all(isinstance(count, int) and count >= 0 for count in counts) or not sum(counts):
        yield f"counts: expected whole numbers from 0, recorded {counts}"
    if row.get("status") != status:
        yield f"status: recorded {row.get('status')!r}, the counts say {status!r}"
    for place, name in enumerate(("tp", "fp", "fn") if "slices" in row else ()):
        total = sum(counts[place] for counts in row["slices"])
        if total != row[name]:
            yield f"{name}: recorded {row[name]}, its slices add up to {total}"
    if status != "ok" and row.get("diagonal_mm") is None:
        yield "diagonal_mm: is missing, by which a missed structure is scored"


def _quality(one: Record, tally: Tally) -> Iterator[str]:
    for policy in policies.POLICIES:
        if policy in one.quality:
            recomputed = recount.summary(tally, policy)
            yield from _compare(one.quality[policy], recomputed, f"quality.{policy}")
        else:
            yield f"quality.{policy}: is missing"


def _compare(recorded: Any, recomputed: Any, place: str) -> Iterator[str]:
    """Walk both trees; what is recorded beyond the recomputed is not an aggregate and passes."""
    if isinstance(recomputed, Mapping):
        if not isinstance(recorded, Mapping):
            yield f"{place}: is missing"
            return
        for name, value in recomputed.items():
            if recorded.get(name) != value:  # most are equal to the last digit
                yield from _compare(recorded.get(name), value, f"{place}.{name}")
    elif not _equal(recorded, recomputed):
        yield f"{place}: recorded {recorded}, the patients give {recomputed}"


def _equal(recorded: Any, recomputed: Any) -> bool:
    if recorded is None or recomputed is None:
        return recorded is recomputed
    return isinstance(recorded, int | float) and math.isclose(
        recorded, recomputed, rel_tol=TOLERANCE, abs_tol=TOLERANCE
    )
