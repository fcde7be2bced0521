"""The comparison: every record read once, every table that may be drawn from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import policies
from benchmarks.comparison import costs as machines
from benchmarks.comparison.claims import Claim, claims
from benchmarks.comparison.groups import differences, group
from benchmarks.comparison.scores import RunScores, extract
from benchmarks.comparison.table import Table, tabulate
from benchmarks.errors import UserError
from benchmarks.record import Archive, Record

BASELINE = "unet"


@dataclass(frozen=True)
class Comparison:
    """What the records of a results folder say together; the largest table comes first."""

    tables: tuple[Table, ...]
    costs: machines.Costs
    claims: tuple[Claim, ...]
    failed: Mapping[Path, Record]
    damaged: Mapping[Path, str]
    baseline: str

    def apart(self, table: Table) -> list[str]:
        """Name the fields that keep a table apart from the first; none for the first itself."""
        return differences(self.tables[0].group, table.group)

    def cost(self, model: str, setting: machines.Setting | None) -> machines.Cost | None:
        """Return a model's costs in a setting."""
        return self.costs.get(setting, {}).get(model) if setting else None

    def setting(self, table: Table) -> machines.Setting | None:
        """Return the setting in which most of a table's models were measured."""
        counts = {
            setting: len(set(models) & set(table.models)) for setting, models in self.costs.items()
        }
        return max(counts, key=lambda setting: counts[setting], default=None)


def compare(
    archive: Archive,
    *,
    baseline: str = BASELINE,
    protocol: str | None = None,
    policy: str | None = None,
) -> Comparison:
    """Compare all records of an archive, or those of one protocol."""
    records = _of_protocol(archive, protocol)
    finished, damaged = _scored(records, policy), dict(archive.damaged)
    damaged |= {path: reason for path, reason in finished.items() if isinstance(reason, str)}
    runs = [run for run in finished.values() if isinstance(run, RunScores)]
    tables = tuple(tabulate(one, _policy(one.example, policy), baseline) for one in group(runs))
    return Comparison(
        tables=tables,
        costs=machines.costs(run.record for run in runs),
        claims=tuple(claims(records.values())),
        failed={path: record for path, record in records.items() if record.status == "failed"},
        damaged=damaged,
        baseline=baseline,
    )


def _of_protocol(archive: Archive, protocol: str | None) -> Mapping[Path, Record]:
    if protocol is None:
        return archive.records
    chosen = {p: r for p, r in archive.records.items() if r.run["protocol"] == protocol}
    if not chosen:
        known = ", ".join(sorted({r.run["protocol"] for r in archive.records.values()})) or "none"
        raise UserError(
            f"Expected a protocol with records. Received: {protocol!r}. Known: {known}."
        )
    return chosen


def _scored(records: Mapping[Path, Record], policy: str | None) -> dict[Path, RunScores | str]:
    """Score each finished record, or say why it cannot be."""
    found: dict[Path, RunScores | str] = {}
    for path, record in records.items():
        if record.status != "ok":
            continue
        try:
            found[path] = extract(path, record, _policy(record, policy))
        except UserError as error:
            found[path] = str(error)
    return found


def _policy(record: Record, chosen: str | None) -> str:
    """Return the policy for empty masks: the one asked for, or the protocol's."""
    evaluate = record.protocol.get("evaluate")
    stated = evaluate.get("policy") if isinstance(evaluate, Mapping) else None
    return policies.find(chosen or stated or "brats").name
