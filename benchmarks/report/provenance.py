"""Where everything comes from: costs, claims, environments, commands, what failed."""

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.reading.claims import DAGGER
from benchmarks.comparison.verdict import counted
from benchmarks.records.record import Record
from benchmarks.report.html import Html, grid, join, tag
from benchmarks.tables import markdown


def costs(comparison: Comparison) -> Html:
    """Return a table for each machine and setting; times of two machines never share one."""
    parts = []
    for setting, models in comparison.costs.items():
        head, rows = markdown.costs(models)
        parts += [
            tag("h3", str(setting)),
            grid(head, rows, f"Costs on {setting}", class_="numbers"),
        ]
    return join(*parts) if parts else tag("p", "No run recorded its cost.")


def claims(comparison: Comparison) -> Html:
    """Return what authors printed, apart from every measurement."""
    rows = [
        [
            claim.title,
            claim.dataset,
            ", ".join(f"{name} {value:g}{claim.mark}" for name, value in claim.metrics.items()),
            claim.note,
        ]
        for claim in comparison.claims
    ]
    if not rows:
        return tag("p", "No card of these models states a result.")
    note = (
        "Printed by the authors, on their data and by their rules; nothing here was measured by "
        f"this benchmark, and none of it is ranked. {DAGGER} The source splits by slice: slices "
        "of one patient are on both sides."
    )
    return join(
        tag("p", note),
        grid(
            ["Architecture", "Data", "Claimed", "Note"],
            rows,
            "Results claimed by authors",
            class_="wordy",
        ),
    )


def environments(comparison: Comparison) -> Html:
    """Return each environment once, with the runs made in it."""
    groups: dict[str, list[Record]] = {}
    for record in _records(comparison).values():
        groups.setdefault(json.dumps(record.environment, sort_keys=True), []).append(record)
    parts = []
    for text, records in groups.items():
        facts = {key: value for key, value in json.loads(text).items() if value is not None}
        pairs = [
            tag("div", tag("dt", key), tag("dd", _value(value))) for key, value in facts.items()
        ]
        summary = f"{records[0].machine}: {counted(len(records), 'run')}"
        parts.append(tag("details", tag("summary", summary), tag("dl", *pairs, class_="facts")))
    return join(*parts)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def protocol(table: Table) -> Html:
    """Return what all rows of a table share, in full."""
    text = json.dumps(table.group.example.protocol, indent=2, sort_keys=True)
    return tag("details", tag("summary", "The protocol in full"), tag("pre", tag("code", text)))


def commands(comparison: Comparison) -> Html:
    """Return the command that repeats each run."""
    rows = [
        [
            record.name,
            f"{record.run['seed']} / {record.run['fold']}",
            _command(record.command),
            _commit(record),
            path.name,
        ]
        for path, record in _records(comparison).items()
    ]
    head = ["Model", "Seed / fold", "Command", "Commit", "Record"]
    return grid(head, rows, "The command of every run", class_="commands")


def _command(command: object) -> Html:
    if not command:
        return tag("span", "not recorded")
    button = tag("button", "Copy", type="button", class_="copy", aria_label=f"Copy {command}")
    return join(tag("code", command), " ", button)


def _commit(record: Record) -> str:
    commit = str(record.environment.get("commit") or "unknown")[:10]
    return f"{commit}, with changes" if record.environment.get("dirty") else commit


def failures(comparison: Comparison) -> Html:
    """Return the runs that failed, each with its reason."""
    parts = []
    if comparison.failed:
        rows = [
            [
                record.name,
                record.run["protocol"],
                f"{record.run['seed']} / {record.run['fold']}",
                (record.error or {}).get("kind", ""),
                (record.error or {}).get("message", "no reason recorded"),
            ]
            for record in comparison.failed.values()
        ]
        head = ["Model", "Protocol", "Seed / fold", "Kind", "Reason"]
        parts.append(grid(head, rows, "Failed runs", class_="wordy"))
    if parts or comparison.left_out:
        return join(*parts) if parts else tag("p", "No run failed.")
    return tag("p", "No run failed, and every record could be read.")


def left_out(comparison: Comparison) -> Html:
    """Return the files that no table holds, each with its reason."""
    lines = [tag("li", line) for line in comparison.omissions()]
    note = "These files are damaged, disagree with themselves or repeat another; none is ranked."
    return join(tag("p", note), tag("ul", *lines))


def _records(comparison: Comparison) -> Mapping[Path, Record]:
    finished = {
        run.path: run.record
        for table in comparison.tables
        for model in table.models
        for run in table.runs(model)
    }
    return {**finished, **comparison.failed}
