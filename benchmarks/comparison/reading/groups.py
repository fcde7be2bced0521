"""Which runs may be ranked together: equal protocol, data and split; others stand apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.comparison.reading.row_names import labels
from benchmarks.comparison.reading.scores import RunScores
from benchmarks.records.record import Record

SHOWN = 3  # fields that a line names


@dataclass(frozen=True, order=True)
class Terms:
    """What rows of one table share; `splits` are the test sets that each model was scored on."""

    protocol: str
    protocol_digest: str
    fingerprint: str
    leaky: bool
    splits: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Runs that may be ranked together, by model; the seeds and folds of a model side by side."""

    terms: Terms
    runs: Mapping[str, tuple[RunScores, ...]]

    @property
    def example(self) -> Record:
        """Return a record that has this group's protocol and data."""
        return next(iter(self.runs.values()))[0].record


def group(runs: Iterable[RunScores]) -> list[Group]:
    """Sort runs into groups, the largest first: models times the folds that all of them have.

    Among equals the one whose runs tested more patients, who decide more.

    A model that was scored on more folds than another is compared with it on the folds that they
    share, and once more among those that have all of its folds. A seed counts where it has every
    fold of the table.
    """
    alike: dict[tuple[str, str, bool], list[RunScores]] = {}
    for run in runs:
        alike.setdefault(_equal(run.record), []).append(run)
    groups = [one for members in alike.values() for one in _by_splits(members)]
    return sorted(groups, key=lambda one: (-_cells(one), -len(one.runs), -_tested(one), one.terms))


def _equal(record: Record) -> tuple[str, str, bool]:
    """Return what must be equal; a protocol's name is none of it, where it has a digest."""
    return (
        record.protocol_digest or str(record.run["protocol"]),
        str(record.data.get("fingerprint") or ""),
        bool(record.data.get("leaky")),
    )


def _cells(one: Group) -> int:
    return len(one.runs) * len(one.terms.splits)


def _tested(one: Group) -> int:
    return sum(len(run.patients) for runs in one.runs.values() for run in runs)


def _by_splits(members: list[RunScores]) -> list[Group]:
    first = members[0].record
    equal = (
        min(str(run.record.run["protocol"]) for run in members),
        first.protocol_digest,
        str(first.data.get("fingerprint") or ""),
        bool(first.data.get("leaky")),
    )
    models: dict[str, list[RunScores]] = {}
    for run, name in zip(members, labels(run.record for run in members), strict=True):
        models.setdefault(name, []).append(run)
    covered = {name: frozenset(run.split for run in runs) for name, runs in models.items()}
    groups = []
    for splits in set(covered.values()):
        runs = {
            name: _whole_seeds(models[name], splits)
            for name in sorted(models)
            if covered[name] >= splits
        }
        groups.append(Group(Terms(*equal, splits=tuple(sorted(splits))), runs))
    return groups


def _whole_seeds(runs: Iterable[RunScores], splits: frozenset[str]) -> tuple[RunScores, ...]:
    """Return the runs on these splits, without the seeds that lack some of them.

    Half a seed would count twice for the patients of its folds, and its mean would be theirs.
    """
    mine = [run for run in runs if run.split in splits]
    of_seed: dict[Any, set[str]] = {}
    for run in mine:
        of_seed.setdefault(run.record.run["seed"], set()).add(run.split)
    whole = {seed for seed, found in of_seed.items() if found == splits} or set(of_seed)
    return tuple(run for run in mine if run.record.run["seed"] in whole)


def differences(first: Group, other: Group) -> list[str]:
    """Name each field that keeps two groups apart, with both values."""
    a, b = first.terms, other.terms
    found = []
    if (a.protocol, a.protocol_digest) != (b.protocol, b.protocol_digest):
        found += _fields(first.example.protocol, other.example.protocol) or [
            _differ("protocol_digest", a.protocol_digest[:8], b.protocol_digest[:8])
        ]
    if a.fingerprint != b.fingerprint:
        found.append(_differ("data fingerprint", a.fingerprint[:8], b.fingerprint[:8]))
    if a.leaky != b.leaky:
        found.append(_differ("leaky split", a.leaky, b.leaky))
    elif a.splits != b.splits:
        found.append(_differ("folds", _folds(first), _folds(other)))
    return found


def summary(first: Group, other: Group) -> str:
    """Say in one line what keeps two groups apart; `differences` names every field."""
    a, b = first.terms, other.terms
    parts = []
    if a.protocol_digest != b.protocol_digest or a.protocol != b.protocol:
        fields = _fields(first.example.protocol, other.example.protocol)
        names = [field.partition(":")[0] for field in fields]
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" * bool(names[SHOWN:]))
        parts.append(f"another protocol ({shown})" if names else "another protocol")
    if a.fingerprint != b.fingerprint:
        parts.append("other data")
    if a.leaky != b.leaky:
        parts.append("a split that leaks")
    elif a.splits != b.splits:
        parts.append("other folds")
    return " and ".join(parts)


def _differ(field: str, first: object, other: object) -> str:
    return f"{field}: {other} instead of {first}"


def _folds(one: Group) -> str:
    folds = {run.record.run["fold"] for runs in one.runs.values() for run in runs}
    return ", ".join(map(str, sorted(folds))) + f" ({len(one.terms.splits)} split digests)"


def _fields(first: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    a, b = dict(_flat(first)), dict(_flat(other))
    names = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    return [_differ(name, a.get(name), b.get(name)) for name in sorted(names)]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
