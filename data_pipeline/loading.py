"""`load`: from a spec and a folder to `Data`; check, split and store stand in this order."""

from pathlib import Path

from data_pipeline import origin
from data_pipeline.data import SPLITS, Data
from data_pipeline.feeding.sampling import Member
from data_pipeline.feeding.targets import target_of
from data_pipeline.preparing.prepare import Progress, prepared
from data_pipeline.spec import DataSpec
from data_pipeline.splitting import split
from data_pipeline.storing.store import Store


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
    cache = origin.default_cache() if cache is None else Path(cache)
    found = origin.find(spec, root, cache, version, progress)
    ready = found if isinstance(found, Store) else prepared(found, cache / "stores", progress)
    about = ready.about
    chosen = origin.split_of(spec, fold, ready)
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
