"""What authors printed: shown beside measurements under its own heading, never ranked with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.records.record import Record

DAGGER = "†"


@dataclass(frozen=True)
class Claim:
    """One published set of results; `leaks` where the source's split shares patients."""

    model: str
    title: str
    dataset: str
    metrics: dict[str, float]
    note: str
    leaks: bool

    @property
    def mark(self) -> str:
        """Return the dagger of a claim whose split leaks."""
        return DAGGER if self.leaks else ""


def claims(records: Iterable[Record]) -> list[Claim]:
    """Read the claims off the cards of all records, failed ones too, once a model."""
    cards = {record.run["model"]: record.card for record in records if record.card}
    return [
        _claim(model, card, entry)
        for model, card in sorted(cards.items())
        for entry in card.get("claims") or ()
        if isinstance(entry, dict)
    ]


def _claim(model: str, card: dict[str, Any], entry: dict[str, Any]) -> Claim:
    metrics = entry.get("metrics") or {}
    return Claim(
        model=model,
        title=str(card.get("title") or model),
        dataset=str(entry.get("dataset") or ""),
        metrics={str(k): float(v) for k, v in metrics.items() if isinstance(v, int | float)},
        note=str(entry.get("note") or ""),
        leaks=bool(entry.get("leaks")),
    )
