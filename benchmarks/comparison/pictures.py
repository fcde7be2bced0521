"""Where the runs left pictures of patients, and which patients most models have one of."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.comparison.judging.table import Table
from benchmarks.records import result_paths

Pictures = Mapping[tuple[str, str], Path]  # by patient and model


def pictures(table: Table) -> Pictures:
    """Find the overlays beside the records, one a patient and model."""
    found: dict[tuple[str, str], Path] = {}
    for model in table.models:
        for run in table.runs(model):
            folder = result_paths.run_folder(run.path)
            for patient in run.patients:
                path = result_paths.overlay_path(folder, patient)
                if (patient, model) not in found and path.is_file():
                    found[patient, model] = path
    return found


def shared(table: Table, found: Pictures, most: int) -> dict[str, list[str]]:
    """Return up to `most` patients with the models that drew them, the most widely drawn first."""
    models = {
        patient: [model for model in table.models if (patient, model) in found]
        for patient in table.patients
    }
    chosen = sorted((p for p in table.patients if models[p]), key=lambda p: -len(models[p]))
    return {patient: models[patient] for patient in chosen[:most]}
