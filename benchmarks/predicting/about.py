"""What a run's weights file says about its use, believed only where each entry is of its kind."""

import re
from collections.abc import Mapping
from math import inf, prod
from typing import Any

from benchmarks.protocols.protocol import Evaluation
from data_pipeline import DataSpec
from data_pipeline.feeding import value_range
from data_pipeline.grid import voxels
from data_pipeline.preparing.normalise import NORMALISATIONS
from data_pipeline.sources import brats
from zoo.building import Identity

LAYOUT = re.compile(r"[A-Za-z0-9_.-]{1,60}")  # one of a package may not be installed here
VALUES = 2**30  # of one batch
Pairs = tuple[tuple[float, float], ...]


def checked(about: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
    """Return the arguments of `Trained`; a `ValueError` says what is not as it must be."""
    spec, evaluation = _spec(about["spec"], identity), _evaluation(about["evaluation"], identity)
    labels = _labels(about["labels"])
    layout, version, threshold = about["layout"], about["version"], about["threshold"]
    _require("layout", layout, isinstance(layout, str) and bool(LAYOUT.fullmatch(layout)))
    _require("version", version, version is None or version in brats.VERSIONS)
    _require("threshold", threshold, _number(threshold) and 0 < threshold < 1)
    smallest = about.get("smallest", 0.0)  # as value_range: older files have none
    _require("smallest", smallest, _number(smallest) and 0 <= smallest <= 1)
    wanted = about.get("value_range", "normalised")  # files of before there was another have none
    value_range.check(spec.normalisation, wanted)
    return {
        "spec": spec,
        "layout": layout,
        "version": version,
        "labels": labels,
        "regions": _regions(about["regions"], set(labels.values())),
        "spacing": _spacing(about["spacing"]),
        "threshold": threshold,
        "smallest": smallest,
        "evaluation": evaluation,
        "value_range": wanted,
        "images": _images(about.get("images", [])),
    }


def _spec(values: Any, identity: Identity) -> DataSpec:
    _require("spec", values, isinstance(values, dict))
    spec = DataSpec.from_json(values)
    _require("channels", spec.channels, all(isinstance(name, str) for name in spec.channels))
    _require("normalisation", spec.normalisation, spec.normalisation in [*NORMALISATIONS])
    shape = (*spec.size, len(spec.channels))
    if shape != identity.input_shape:
        raise ValueError(f"it prepares {shape} for a network of {identity.input_shape}")
    return spec


def _evaluation(values: Any, identity: Identity) -> Evaluation:
    _require("evaluation", values, isinstance(values, dict) and "metrics" not in values)
    evaluation = Evaluation(**values)
    size = evaluation.batch_size
    one = prod(side or 1 for side in identity.input_shape)
    _require("batch_size", size, _whole(size) and 1 <= size <= max(1, VALUES // one))
    return evaluation


def _labels(values: Any) -> dict[str, int]:
    fits = isinstance(values, dict) and all(_whole(n) and n < 256 for n in values.values())
    _require("labels", values, fits and any(values.values()))
    return values


def _regions(pairs: Any, known: set[int]) -> dict[str, tuple[int, ...]]:
    _require("regions", pairs, isinstance(pairs, list) and len(pairs) > 0)
    regions = {name: tuple(values) for name, values in pairs}
    fits = len(regions) == len(pairs) and all(
        isinstance(name, str) and values and all(_whole(n) and n in known for n in values)
        for name, values in regions.items()
    )
    _require("regions", pairs, fits)
    return regions


def _spacing(pairs: Any) -> Pairs | None:
    if pairs is None:
        return None
    spacing = tuple((low, high) for low, high in pairs)
    fits = all(
        _number(low) and _number(high) and voxels.SMALLEST <= low <= high <= voxels.LARGEST
        for low, high in spacing
    )
    _require("spacing", pairs, fits and len(spacing) == 3)
    return spacing


def _images(values: Any) -> tuple[str, ...]:
    fits = isinstance(values, list) and all(isinstance(n, str) and len(n) <= 64 for n in values)
    _require("images", values, fits)
    return tuple(values)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _number(value: Any) -> bool:
    return _whole(value) or (isinstance(value, float) and -inf < value < inf)


def _require(name: str, value: Any, fits: bool) -> None:
    if not fits:
        raise ValueError(f"{name} can't be {repr(value)[:60]}")
