"""Patient by patient: a matrix of Dice, and on demand everything known of one patient."""

import base64
from typing import Any

import numpy as np

from benchmarks import places
from benchmarks.comparison.scores import DICE, METRICS
from benchmarks.comparison.table import Table
from benchmarks.plots.quality import volumes
from benchmarks.record import finite
from benchmarks.report.html import Html, data, join, scroll, tag
from benchmarks.tables import cells

SHOWN = ("dice", "precision", "sensitivity", "hd95")
BUDGET = 12_000_000  # bytes of pictures in a page
SUBJECTS = 4  # patients shown across models

Pictures = dict[tuple[str, str], str]


def patients(table: Table, place: int, pictures: Pictures) -> Html:
    """Return the matrix, and what the script shows of a patient."""
    millilitres = volumes(table)
    head = [("Patient", "text"), ("Tumour (ml)", "number"), ("Mean", "number")]
    head += [(cells.printable(model), "number") for model in table.models]
    order = np.argsort(_mean(table))
    body = tag(
        "table",
        tag("caption", "Dice of each patient by model, hardest first", class_="hidden"),
        tag("thead", tag("tr", *(_heading(name, kind) for name, kind in head))),
        tag("tbody", *(_row(table, row, millilitres[row], place) for row in order)),
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
        data(f"details-{place}", _details(table, pictures)),
    )


def _mean(table: Table) -> np.ndarray:
    dice = table.scores[:, :, 0, DICE]
    known = np.isfinite(dice).sum(axis=1)
    return np.where(known > 0, np.nansum(dice, axis=1) / np.maximum(known, 1), np.nan)


def _heading(name: str, kind: str) -> Html:
    return tag("th", tag("button", name, type="button"), scope="col", data_kind=kind, class_=kind)


def _row(table: Table, row: int, millilitres: float, place: int) -> Html:
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
        tag("th", button, scope="row", data_sort=cells.printable(name)),
        _number(millilitres, cells.short(millilitres)),
        _heat(mean),
        *(_heat(value) for value in table.scores[row, :, 0, DICE]),
    ]
    return tag("tr", *shown, data_row=cells.printable(name).lower())


def _number(value: float, shown: str) -> Html:
    return tag("td", shown, class_="number", data_sort=f"{value}" if value == value else "")


def _heat(value: float) -> Html:
    """Return a cell whose shade is its Dice in ten steps."""
    if value != value:
        return tag("td", cells.ABSENT, class_="number", data_sort="")
    return tag(
        "td", f"{value:.2f}", class_=f"number heat h{min(9, int(value * 10))}", data_sort=value
    )


def _details(table: Table, pictures: Pictures) -> dict[str, Any]:
    """Return the numbers and pictures of each patient, for the script to lay out."""
    chosen = [METRICS.index(name) for name in SHOWN]
    return {
        "metrics": [cells.LABELS[name] for name in SHOWN],
        "decimals": [cells.decimals(name) for name in SHOWN],
        "models": [cells.printable(name) for name in table.models],
        "regions": [cells.printable(name) for name in table.regions],
        "patients": [cells.printable(name) for name in table.patients],
        "scores": finite(np.round(table.scores[:, :, :, chosen], 4)),
        "pictures": {
            f"{table.patients.index(patient)}/{table.models.index(model)}": uri
            for (patient, model), uri in pictures.items()
        },
    }


def pictures(table: Table, budget: int = BUDGET) -> Pictures:
    """Read the overlays that the runs left, one a patient and model, until the page is full."""
    found: Pictures = {}
    for model in table.models:
        for run in table.runs(model):
            folder = places.run_folder(run.path)
            for patient in run.patients:
                path = places.overlay_path(folder, patient)
                if (patient, model) in found or not path.is_file():
                    continue
                content = path.read_bytes()
                budget -= len(content)
                if budget < 0:
                    return found
                found[patient, model] = _uri(content)
    return found


def _uri(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def qualitative(table: Table, found: Pictures) -> Html | None:
    """Return the same patients across models: those whom most models have a picture of."""
    models = {
        patient: [model for model in table.models if (patient, model) in found]
        for patient in table.patients
    }
    chosen = sorted((p for p in table.patients if models[p]), key=lambda p: -len(models[p]))
    if not chosen:
        return None
    blocks = []
    for patient in chosen[:SUBJECTS]:
        shown = [_picture(table, found, patient, model) for model in models[patient]]
        blocks += [tag("h4", patient), tag("div", *shown, class_="overlays")]
    return join(*blocks)


def _picture(table: Table, found: Pictures, patient: str, model: str) -> Html:
    dice = cells.number(float(table.dice(model)[table.patients.index(patient)]), 2)
    label = f"{model} on {patient}: image, reference, prediction and error"
    image = tag("img", src=found[patient, model], alt=label, loading="lazy")
    return tag("figure", image, tag("figcaption", tag("strong", model), f" Dice {dice}"))
