"""The page: sections in reading order, with its style and script inside and no way out."""

from collections.abc import Sequence
from string import Template
from types import MappingProxyType

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.notes import notes
from benchmarks.comparison.verdict import conclusions, counted, reservations
from benchmarks.report import patients, provenance
from benchmarks.report.figures import figures
from benchmarks.report.html import Html, digest, grid, join, tag, template
from benchmarks.report.patients import Scans
from benchmarks.report.ranking import ranking
from benchmarks.tables import (
    budget_rows,
    cells,
    challenge_rows,
    external_rows,
    region_rows,
    runtime_rows,
)

DRAWN = 4  # tables with figures; a page of more would be slow
NONE: Scans = MappingProxyType({})


def page(comparison: Comparison, scans: Scans = NONE) -> str:
    """Return the whole document; `scans` are pages beside it, by the patient that they show."""
    script = template("theme.js") + template("report.js")
    sections = [*_left_out(comparison), *_tables(comparison, scans), *_rest(comparison)]
    links = [tag("li", tag("a", title, href=f"#{key}")) for key, title, _ in sections]
    body = [
        tag("section", tag("h2", title), content, id=key, tabindex="-1")
        for key, title, content in sections
    ]
    return Template(template("report.html")).substitute(
        style=template("theme.css") + template("report.css"),
        script=script,
        script_hash=digest(script),
        links=join(*links),
        lead=_lead(comparison),
        main=join(*body),
    )


def _lead(comparison: Comparison) -> Html:
    runs = {
        run.path: run.record
        for table in comparison.tables
        for model in table.models
        for run in table.runs(model)
    }
    newest = max((str(record.created) for record in runs.values()), default="")[:10]
    models = {record.name for record in runs.values()}
    text = f"{counted(len(models), 'model')}, {counted(len(runs), 'run')}"
    if comparison.failed:
        text += f", {len(comparison.failed)} failed"
    if comparison.left_out:
        text += f", {counted(len(comparison.left_out), 'file')} left out"
    return tag("p", f"{text}, the newest of {newest}" if newest else text, class_="lead")


def _left_out(comparison: Comparison) -> list[tuple[str, str, Html]]:
    if not comparison.left_out:
        return []
    return [("left-out", "Left out", provenance.left_out(comparison))]


def _tables(comparison: Comparison, scans: Scans) -> list[tuple[str, str, Html]]:
    if not comparison.tables:
        return [("summary", "Summary", tag("p", "No run has finished."))]
    sections = []
    for place, table in enumerate(comparison.tables, 1):
        title = f"Table {place}: {cells.printable(table.terms.protocol)}"
        sections.append((f"table-{place}", title, _table(comparison, table, place, scans)))
    return sections


def _table(comparison: Comparison, table: Table, place: int, scans: Scans) -> Html:
    pictures = patients.embedded(table) if place <= DRAWN else {}
    parts = [
        _terms(table),
        _apart(comparison, table) if place > 1 else None,
        _verdict(table),
        tag("h3", "Ranking"),
        ranking(comparison, table, place),
        tag("ul", *(tag("li", sentence) for sentence in notes(table)), class_="notes"),
        _regions(table),
        _challenge(table),
    ]
    if place <= DRAWN:
        parts += [tag("h3", "Figures"), figures(comparison, table, place), _budgets(table)]
    parts += [
        tag("h3", "The same patients across models"),
        patients.qualitative(table, pictures)
        or tag("p", "No overlays lie beside these records, so there is nothing to show here."),
        tag("h3", "Patients"),
        tag("p", "Dice, hardest patient first. Choose a patient to see everything known of it."),
        patients.patients(table, place, pictures, scans),
        provenance.protocol(table),
    ]
    return join(*parts)


def _terms(table: Table) -> Html:
    terms = table.terms
    facts = {
        "Protocol": f"{terms.protocol} ({terms.protocol_digest[:8]})",
        "Data": terms.fingerprint[:8] or "unknown",
        "Test patients": str(len(table.patients)),
        "Empty masks": f"policy '{table.policy}'",
        "Split": "leaks: patients on both sides" if terms.leaky else "by patient",
    }
    pairs = [tag("div", tag("dt", key), tag("dd", value)) for key, value in facts.items()]
    return tag("dl", *pairs, class_="facts")


def _apart(comparison: Comparison, table: Table) -> Html:
    fields = [tag("li", field) for field in comparison.apart(table)]
    return tag("div", tag("p", "Not ranked with table 1, because of"), tag("ul", *fields))


def _verdict(table: Table) -> Html:
    may = tag("ul", *(tag("li", sentence) for sentence in conclusions(table)))
    may_not = reservations(table)
    boxes = [tag("div", tag("h3", "What may be concluded"), may, class_="may")]
    if may_not:
        sentences = tag("ul", *(tag("li", sentence) for sentence in may_not))
        boxes.append(tag("div", tag("h3", "What may not"), sentences, class_="may-not"))
    return tag("div", *boxes, class_="verdict")


def _regions(table: Table) -> Html | None:
    if not region_rows.are_shown(table):
        return None
    head, rows = region_rows.rows(table)
    return join(tag("h3", region_rows.TITLE), grid(head, rows, region_rows.TITLE))


def _challenge(table: Table) -> Html | None:
    if table.challenge is None:
        return None
    rows = challenge_rows.rows(table.challenge, table.models)
    return join(
        tag("h3", challenge_rows.TITLE),
        tag("p", challenge_rows.note(table, table.challenge)),
        grid(challenge_rows.HEAD, rows, challenge_rows.TITLE),
    )


def _budgets(table: Table) -> Html | None:
    if table.budgets is None:
        return None
    return join(
        tag("h3", budget_rows.TITLE),
        tag("p", budget_rows.note(table.budgets)),
        grid(budget_rows.HEAD, budget_rows.rows(table, table.budgets), budget_rows.TITLE),
    )


def _external(comparison: Comparison) -> list[tuple[str, str, Html]]:
    rows = external_rows.rows(comparison.external)
    table = (external_rows.TITLE, external_rows.NOTE, external_rows.HEAD, rows)
    return _section("external", *table)


def _runtimes(comparison: Comparison) -> list[tuple[str, str, Html]]:
    rows, note = runtime_rows.rows(comparison.runtimes), runtime_rows.note(comparison.runtimes)
    return _section("runtimes", runtime_rows.TITLE, note, runtime_rows.HEAD, rows)


def _section(
    key: str, title: str, note: str, head: Sequence[str], rows: Sequence[Sequence[str]]
) -> list[tuple[str, str, Html]]:
    """Return a table under a note, or nothing where it has no rows."""
    return [(key, title, join(tag("p", note), grid(head, rows, title)))] if rows else []


def _rest(comparison: Comparison) -> list[tuple[str, str, Html]]:
    return [
        *_external(comparison),
        *_runtimes(comparison),
        ("costs", "Costs", provenance.costs(comparison)),
        ("claims", "Claimed by authors", provenance.claims(comparison)),
        ("reproduce", "How to reproduce each row", provenance.commands(comparison)),
        ("environment", "Environment", provenance.environments(comparison)),
        ("failed", "What failed", provenance.failures(comparison)),
    ]
