"""Patient by patient: a matrix of Dice, and on demand everything known of one patient."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.pictures import pictures, shared
from benchmarks.comparison.reading.scores import DICE, METRICS
from benchmarks.plots.quality import volumes
from benchmarks.records.record import finite
from benchmarks.report.html import Html, data, join, scroll, tag
from benchmarks.tables import cells

SHOWN = ("dice", "precision", "sensitivity", "hd95")
BUDGET = 12_000_000  # bytes of pictures in a page
SUBJECTS = 4  # patients shown across models

Embedded = Mapping[tuple[str, str], str]  # pictures as addresses, by patient and model
Scans = Mapping[str, str]  # addresses of pages that show a scan and its masks, by patient


def patients(table: Table, place: int, found: Embedded, scans: Scans) -> Html:
    """Return the matrix, and what the script shows of a patient."""
    millilitres = volumes(table)
    head = [("Patient", "text"), (f"Tumour ({table.volume_unit})", "number"), ("Mean", "number")]
    head += [(cells.printable(model), "number") for model in table.models]
    order = np.argsort(_mean(table))
    body = tag(
        "table",
        tag("caption", "Dice of each patient by model, hardest first", class_="hidden"),
        tag("thead", tag("tr", *(_heading(name, kind) for name, kind in head))),
        tag("tbody", *(_row(table, row, millilitres[row], scans) for row in order)),
        class_="sortable matrix",
        id=f"patients-{place}",
        data_details=f"details-{place}",
    )
    identity = f"patients-{place}"
    field = tag("input", type="search", id=f"filter-{identity}", data_filter=identity)
    label = tag("label", "Filter patients", for_=f"filter-{identity}")
    status = tag("output", for_=f"filter-{identity}", aria_live="polite")
    return join(
        tag("p", label, " ", field, " ", status, class_="filter"),
        scroll(body, f"Patients of table {place}"),
        data(f"details-{place}", _details(table, found)),
    )


def _mean(table: Table) -> np.ndarray:
    dice = table.scores[:, :, 0, DICE]
    known = np.isfinite(dice).sum(axis=1)
    return np.where(known > 0, np.nansum(dice, axis=1) / np.maximum(known, 1), np.nan)


def _heading(name: str, kind: str) -> Html:
    return tag("th", tag("button", name, type="button"), scope="col", data_kind=kind, class_=kind)


def _row(table: Table, row: int, millilitres: float, scans: Scans) -> Html:
    name = table.patients[row]
    button = tag(
        "button",
        name,
        type="button",
        class_="patient",
        data_patient=str(row),
        aria_expanded="false",
    )
    mean = _mean(table)[row]
    shown = [
        tag("th", button, _link(name, scans), scope="row", data_sort=cells.printable(name)),
        _number(millilitres, cells.short(millilitres)),
        _heat(mean),
        *(_heat(value) for value in table.scores[row, :, 0, DICE]),
    ]
    return tag("tr", *shown, data_row=cells.printable(name).lower())


def _link(name: str, scans: Scans) -> Html | None:
    if name not in scans:
        return None
    hidden = tag("span", f" and masks of {name}", class_="hidden")
    return tag("a", "scan", hidden, href=scans[name], class_="scan")


def _number(value: float, shown: str) -> Html:
    return tag("td", shown, class_="number", data_sort=f"{value}" if value == value else "")


def _heat(value: float) -> Html:
    """Return a cell whose shade is its Dice in ten steps."""
    if value != value:
        return tag("td", cells.ABSENT, class_="number", data_sort="")
    return tag(
        "td", f"{value:.2f}", class_=f"number heat h{min(9, int(value * 10))}", data_sort=value
    )


def _details(table: Table, found: Embedded) -> dict[str, Any]:
    """Return the numbers and pictures of each patient, for the script to lay out."""
    chosen = [METRICS.index(name) for name in SHOWN]
    return {
        "metrics": [cells.label(name, table.in_mm) for name in SHOWN],
        "decimals": [cells.decimals(name) for name in SHOWN],
        "models": [cells.printable(name) for name in table.models],
        "regions": [cells.printable(name) for name in table.regions],
        "patients": [cells.printable(name) for name in table.patients],
        "scores": finite(np.round(table.scores[:, :, :, chosen], 4)),
        "pictures": {
            f"{table.patients.index(patient)}/{table.models.index(model)}": uri
            for (patient, model), uri in found.items()
        },
    }


def embedded(table: Table, budget: int = BUDGET) -> Embedded:
    """Read the pictures beside the records, those that most models have first, within a budget."""
    found = pictures(table)
    order = [*shared(table, found, SUBJECTS), *table.patients]
    taken: dict[tuple[str, str], str] = {}
    for patient in order:
        for model in table.models:
            if (patient, model) not in found or (patient, model) in taken:
                continue
            content = found[patient, model].read_bytes()
            budget -= len(content)
            if budget < 0:
                return taken
            taken[patient, model] = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return taken


def qualitative(table: Table, found: Embedded) -> Html | None:
    """Return the same patients across models: those whom most models have a picture of."""
    blocks: list[Html] = []
    for patient in dict.fromkeys(patient for patient, _ in found):
        if len(blocks) == 2 * SUBJECTS:
            break
        shown = [_picture(table, found, p, model) for p, model in found if p == patient]
        blocks += [tag("h4", patient), tag("div", *shown, class_="overlays")]
    return join(*blocks) if blocks else None


def _picture(table: Table, found: Embedded, patient: str, model: str) -> Html:
    dice = cells.number(float(table.dice(model)[table.patients.index(patient)]), 2)
    label = f"{model} on {patient}: image, reference, prediction and error"
    image = tag("img", src=found[patient, model], alt=label)
    return tag("figure", image, tag("figcaption", tag("strong", model), f" Dice {dice}"))
