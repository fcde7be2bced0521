"""Metrics of the user's again, over records: run where their file is given, else unverified.

A record names a metric's source and no path, so that reading one never runs code: only a file that
the user gives is run, and only where its SHA-256 is that of the record.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.protocols import own_metric, own_source


class Again:
    """The files that the user gave, and how many records name metrics of others: `unverified`."""

    def __init__(self, files: Iterable[Path]):
        self._files = {_sha256(path): path for path in files}
        self._used: set[str] = set()
        self._counts: Counter[str] = Counter()

    def problems(
        self, protocol: Mapping[str, Any], patients: Sequence[Mapping[str, Any]]
    ) -> Iterator[str]:
        """Name the values of a record that its metrics' files do not give."""
        named = {}
        for text in (protocol.get("evaluate") or {}).get("metrics", ()):
            match = own_source.REFERENCE.fullmatch(text)
            if match and match["sha256"]:
                named[match["name"]] = match
        kept = {name for one in patients for row in one["regions"].values() for name in _own(row)}
        for name in sorted(kept - named.keys()):
            yield f"x_{name}: is in the rows, and the protocol names no such metric"
        for name in sorted(kept & named.keys()):
            yield from self._one(named[name], patients)

    def _one(self, match: Any, patients: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        path = self._files.get(match["sha256"])
        if path is None:
            self._counts[f"x_{match['name']} ({match['path']}, SHA-256 {match['sha256'][:8]})"] += 1
            return
        self._used.add(match["sha256"])
        (mine,) = own_metric.load([f"{path}:{match['name']}@{match['sha256']}"])
        yield from own_metric.disagreements(mine, patients)

    @property
    def unverified(self) -> dict[str, int]:
        """Return how many records hold a metric whose file was not given."""
        return dict(self._counts)

    def lines(self) -> list[str]:
        """Say so, a line each."""
        return [
            f"{metric} is unverified in {number} of them: give its file with --metric."
            for metric, number in self._counts.items()
        ]

    def require_used(self) -> None:
        """Refuse a file whose source no record names."""
        for sha256, path in self._files.items():
            if sha256 not in self._used:
                raise UserError(
                    f"{path}: no record has a metric of this source (SHA-256 {sha256[:8]}); give "
                    "the file as it was when they were made."
                )


def _own(row: Mapping[str, Any]) -> Iterable[str]:
    return row.get("own", {})


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror or error}).") from error
