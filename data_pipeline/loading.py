"""`load`: from a spec and a folder to `Data`; check, split and store stand in this order."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from data_pipeline import sources, split
from data_pipeline.checked import checked
from data_pipeline.data import SPLITS, Data
from data_pipeline.errors import UserError
from data_pipeline.job import Preparation, job_of
from data_pipeline.prepare import Progress, prepared
from data_pipeline.sampling import Member
from data_pipeline.spec import DataSpec
from data_pipeline.store import INDEX, Store, open_store, read_index
from data_pipeline.targets import target_of


def load(
    spec: DataSpec,
    seed: int = 0,
    fold: int = 0,
    root: str | Path | None = None,
    cache: str | Path | None = None,
    *,
    version: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Data:
    """Check, prepare (once) and split a data set.

    `root` is the folder of the data set, or one of prepared records; None makes phantoms. `version`
    is the year of a BraTS data set, unless the spec states it.
    """
    cache = default_cache() if cache is None else Path(cache)
    ready = _store(spec, root, cache, spec.version or version, progress)
    about = ready.index["about"]
    chosen = _split(spec, fold, ready)
    return Data(
        spec,
        seed,
        fold,
        ready,
        chosen,
        target_of(spec, about["labels"], dict(about["regions"])),
        {name: _members(getattr(chosen, name), ready, chosen.leaky) for name in SPLITS},
        threads,
    )


def default_cache() -> Path:
    """Say where prepared data goes: `$GLIOZOO_CACHE`, else `cache` in the working folder."""
    return Path(os.environ.get("GLIOZOO_CACHE") or "cache")


def _store(
    spec: DataSpec,
    root: str | Path | None,
    cache: Path,
    version: str | None,
    progress: Progress | None,
) -> Store:
    preparation = Preparation.of(spec)
    if root is None:
        root = _phantoms(spec, cache)
    found = _prepared_before(spec, preparation, Path(root))
    if found:
        return found
    dataset = sources.find(root, spec.layout, version)
    manifest = checked(dataset, cache, progress)
    return prepared(job_of(manifest, preparation), cache / "stores", progress)


def _phantoms(spec: DataSpec, cache: Path) -> Path:
    if spec.layout != "phantom":
        raise UserError(
            f"Expected the folder of the data set, because the layout is {spec.layout!r}. "
            "Received none. Name it with --data (in Python: root=)."
        )
    from data_pipeline.phantom.write import ensure

    cohort = spec.phantom
    return ensure(cache / "phantoms", "brats", cohort.patients, cohort.size, cohort.seed)


def _split(spec: DataSpec, fold: int, ready: Store) -> split.Split:
    make = partial(
        split.make_leaky if spec.leaky else partial(split.choose, spec.layout),
        seed=spec.split_seed,
        folds=spec.folds,
        fold=fold,
        val_fraction=spec.val_fraction,
    )
    if spec.leaky:
        return make({case.name: case.depth for case in ready.cases})
    return make(ready.index["about"]["burdens"])


def _members(units: tuple[str, ...], ready: Store, leaky: bool) -> tuple[Member, ...]:
    """Turn a split's patients, or the slices of a leaky one, into cases of the store."""
    if not leaky:
        wanted = set(units)
        return tuple(Member(i) for i, case in enumerate(ready.cases) if case.patient in wanted)
    slices: dict[str, list[int]] = {}
    for unit in units:
        case, number = split.slice_of(unit)
        slices.setdefault(case, []).append(number)
    places = {case.name: index for index, case in enumerate(ready.cases)}
    return tuple(Member(places[name], tuple(sorted(slices[name]))) for name in sorted(slices))


def _prepared_before(spec: DataSpec, preparation: Preparation, root: Path) -> Store | None:
    """Open a folder of prepared records, where the data set itself need not be."""
    folders = [path.parent for path in sorted(root.glob(f"*/{INDEX}"))]
    if not folders:
        return None
    indexes = {folder: read_index(folder) for folder in folders}
    fitting = [
        folder
        for folder, index in indexes.items()
        if index and index["preparation"] == preparation.as_json() and _is_of(spec, index["about"])
    ]
    if len(fitting) != 1:
        raise UserError(
            f"{root}: expected one store with the preparation {preparation}. "
            f"Received: {len(fitting)} of {len(folders)}. Make it with `gliozoo data prepare`."
        )
    ready = open_store(fitting[0])
    if ready is None:
        raise UserError(
            f"{fitting[0]}: its files are not what was written; copy or prepare them again."
        )
    return ready


def _is_of(spec: DataSpec, about: Mapping[str, Any]) -> bool:
    return spec.layout in (about["layout"], "phantom") and spec.version in (None, about["version"])
