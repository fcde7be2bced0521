"""What the row of a run is called: its model, and what else tells it from the others."""

from collections.abc import Iterable

from benchmarks.records.record import Record

NAMED = ("backend", "precision")


def labels(records: Iterable[Record]) -> list[str]:
    """Name the row of each run; a model has a row for each backend and precision it ran on.

    They are named where there are several, so that the same seed on two of them is no repetition.
    """
    records = list(records)
    settings: dict[tuple[str, str], set[str]] = {}
    for record in records:
        settings.setdefault(_group(record), set()).add(_setting(record))
    return [
        f"{record.name} ({_setting(record)})" if len(settings[_group(record)]) > 1 else record.name
        for record in records
    ]


def _group(record: Record) -> tuple[str, str]:
    return record.name, record.protocol_digest


def _setting(record: Record) -> str:
    return ", ".join(str(value) for name in NAMED if (value := record.environment.get(name)))
