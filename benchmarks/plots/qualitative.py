"""The same patients across models: what each drew, from the pictures beside the records."""

from matplotlib.figure import Figure
from matplotlib.image import imread

from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.pictures import pictures, shared
from benchmarks.plots import point_labels

PATIENTS = 2


def grid(table: Table) -> Figure | None:
    """Draw a column a patient and a row a model; those without a picture stay empty."""
    found = pictures(table)
    chosen = shared(table, found, PATIENTS)
    if not chosen:
        return None
    models = [model for model in table.models if any(model in drawn for drawn in chosen.values())]
    images = {pair: imread(path) for pair, path in found.items() if pair[0] in chosen}
    tallest = max(image.shape[0] / image.shape[1] for image in images.values())
    width = 5.0 * len(chosen)
    figure = Figure(
        figsize=(width, len(models) * (5.0 * tallest + 0.1) + 0.3), layout="constrained"
    )
    axes = figure.subplots(len(models), len(chosen), squeeze=False)
    for row, model in zip(axes, models, strict=True):
        row[0].set_ylabel(point_labels.plain(model), fontsize=8)
        for panel, patient in zip(row, chosen, strict=True):
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            if (patient, model) in images:
                panel.imshow(images[patient, model], interpolation="antialiased")
    for panel, patient in zip(axes[0], chosen, strict=True):
        panel.set_title(point_labels.plain(patient), fontsize=8.5)
    return figure
