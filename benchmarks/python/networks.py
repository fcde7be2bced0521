"""`predict` and `evaluate`: trained networks on arrays, and on patients of another site."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, overload

import numpy as np

from benchmarks.errors import UserError
from benchmarks.records import record
from benchmarks.records.record import Record


@overload
def predict(
    network: str | Path,
    arrays: Mapping[str, np.ndarray],
    spacing: tuple[float, float, float] = ...,
    *,
    model: str | None = ...,
    probabilities: Literal[False] = ...,
) -> np.ndarray: ...


@overload
def predict(
    network: str | Path,
    arrays: Mapping[str, np.ndarray],
    spacing: tuple[float, float, float] = ...,
    *,
    model: str | None = ...,
    probabilities: Literal[True],
) -> dict[str, np.ndarray]: ...


def predict(network, arrays, spacing=(1.0, 1.0, 1.0), *, model=None, probabilities=False):
    """Return uint8 label values, or a float32 probability a region, of a scan in memory.

    `network` is a run's folder, its weights file or a preset's name; several, joined by commas, and
    the folds of a preset are averaged, as by `gliozoo predict`. `arrays` holds a `(slices, rows,
    columns)` array a channel, from the feet up, from the face back, from the patient's right to the
    left; `spacing` in mm, in that order: a network of volumes sees them at the size that taught it,
    resampled if they are of another. The answer lies on the arrays' own grid. `model` is the source
    of a network that is not the zoo's. The networks of the last call are kept for the next one.
    """
    from benchmarks.backends import device
    from benchmarks.ensembles import ensemble
    from benchmarks.predicting import predict as predicting
    from benchmarks.predicting import trained_network
    from data_pipeline.files import digests
    from data_pipeline.scans import predicted_scan

    paths = trained_network.find_all(str(network))
    joint = ensemble.usage(paths, "mean", model)
    each = [trained_network.read(path, model) for path in paths]
    # What can't be a scan is refused before Keras starts.
    by_sight = {ensemble.sight(one): one for one in each}
    scans = {sight: _scan(one, arrays, spacing) for sight, one in by_sight.items()}
    device.start()

    def read(one):
        case, volumes = scans.pop(ensemble.sight(one))
        return predicted_scan.of_volumes(case, volumes, one.preparation, one.value_range)

    stamped = tuple((path, *(digests.stamp(path) or ())) for path in paths)
    found = predicting.of_reading(_network(stamped, model), joint, read)
    return found.probabilities if probabilities else found.labels


@lru_cache(maxsize=1)
def _network(stamped, model):
    """Build the networks of files, or return those of the last call if the files are the same."""
    from benchmarks.ensembles import panel

    return panel.seated([path for path, *_ in stamped], model)


def _scan(known, arrays, spacing):
    """Return arrays as the volumes of a case, in the order of the network's channels."""
    from data_pipeline.cases.case import Case, Volume
    from data_pipeline.scans import predicted_scan

    channels = known.spec.channels
    missing = [name for name in channels if name not in arrays]
    if missing and not (known.takes_fewer and len(missing) < len(channels)):
        raise UserError(
            f"Expected the channels {', '.join(channels)}. Received: {', '.join(arrays)}. Add "
            f"{', '.join(missing)}."
        )
    given = {name: np.asarray(arrays[name]) for name in channels if name in arrays}
    first = next(iter(given.values())).shape
    for name, array in given.items():
        if array.ndim != 3 or array.shape != first or not array.size:
            raise UserError(
                f"Expected (slices, rows, columns) arrays of one shape. Received: {array.shape} "
                f"for {name}; give a single slice as array[None]."
            )
        if not np.isfinite(array).all():
            raise UserError(f"The channel {name} holds NaN or infinity; replace them first.")
    if len(spacing) != 3 or not all(side > 0 for side in spacing):
        raise UserError(f"Expected spacing as three millimetres above 0. Received: {spacing}.")
    depth, height, width = map(float, spacing)
    plain = all(array.dtype == np.uint8 for array in given.values())
    volumes = {
        name: Volume(
            (array if plain else array.astype(np.float32))[..., None],
            (name,),
            None,
            np.eye(4),
            (depth, height, width),
            True,
        )
        for name, array in given.items()
    }
    known.require_spacing("arrays", tuple(spacing), True)
    case = Case("arrays", "arrays", "volumes", tuple(given), (), (), {})
    return case, predicted_scan.filled(volumes, channels)


def evaluate(
    network: str | Path,
    data: str | Path,
    *,
    name: str | None = None,
    layout: str | None = None,
    version: str | None = None,
    model: str | None = None,
    force: bool = False,
    any_spacing: bool = False,
    results: str | Path = "results",
    cache: str | Path | None = None,
) -> Record:
    """Score a trained network, or several joined by commas, on patients of another site."""
    from benchmarks.backends import device

    device.start()
    from benchmarks.external import evaluate as external
    from benchmarks.machine import environment

    asked = external.Asked(
        str(network),
        Path(data),
        name,
        layout,
        version,
        None if cache is None else Path(cache),
        model,
        force,
        any_spacing,
    )
    found = external.evaluate(asked, environment.facts())
    return record.read(record.write(found, results))
