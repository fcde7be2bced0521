"""Where the data of a spec come from: prepared records, a checked data set, or phantoms.

What is found knows its content (`key`, `about`, `depths`) before anything is prepared.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from data_pipeline import sources
from data_pipeline.checking.check_once import checked
from data_pipeline.errors import UserError
from data_pipeline.files import cache_folder
from data_pipeline.identity import Identity
from data_pipeline.preparing.preparation import Job, Preparation, job_of
from data_pipeline.preparing.prepare import Progress
from data_pipeline.spec import DataSpec
from data_pipeline.splitting import split
from data_pipeline.storing import store_index
from data_pipeline.storing.store import INDEX, Store, damaged

Origin = Store | Job


def find(
    spec: DataSpec,
    root: str | Path | None,
    cache: Path,
    version: str | None = None,
    progress: Progress | None = None,
) -> Origin:
    """Find what `root` holds, checked; None makes phantoms."""
    preparation = Preparation.of(spec)
    with keeping(cache):
        folder = _phantoms(spec, cache) if root is None else Path(root)
        found = _prepared_before(spec, preparation, folder)
        if found:
            return found
        dataset = sources.find(folder, spec.layout, spec.version or version)
        return job_of(checked(dataset, cache, progress), preparation)


def identify(spec: DataSpec, fold: int, found: Origin) -> Identity:
    """Say what `load` would load of what `find` has found, without preparing it."""
    return Identity(found.key, split_of(spec, fold, found).digest)


def default_cache() -> Path:
    """Say where prepared data goes: `$GLIOZOO_CACHE`, else `cache` in the working folder."""
    return cache_folder.default()


def split_of(spec: DataSpec, fold: int, found: Origin) -> split.Split:
    """Split the patients of what was found as the spec says, or its slices if it is leaky."""
    make = partial(
        split.make_leaky if spec.leaky else partial(split.choose, spec.layout),
        seed=spec.split_seed,
        folds=spec.folds,
        fold=fold,
        val_fraction=spec.val_fraction,
    )
    return make(found.depths if spec.leaky else found.about["burdens"])


@contextmanager
def keeping(cache: Path) -> Iterator[None]:
    """Turn a cache that takes nothing into one sentence: neither data nor results are to blame."""
    try:
        yield
    except OSError as error:
        where = Path(str(error.filename or cache))  # a full disk names no file
        if not where.absolute().is_relative_to(cache.absolute()):
            raise
        raise UserError(
            f"{cache}: can't keep prepared data there ({error.strerror}); free some room, or name "
            "another folder with --cache (in Python: cache=)."
        ) from error


def _phantoms(spec: DataSpec, cache: Path) -> Path:
    if spec.layout != "phantom":
        raise UserError(
            f"Expected the folder of the data set, because the layout is {spec.layout!r}. "
            "Received none. Name it with --data (in Python: root=)."
        )
    from data_pipeline.phantom.write import ensure

    cohort = spec.phantom
    return ensure(cache / "phantoms", "brats", cohort.patients, cohort.size, cohort.seed)


def _prepared_before(spec: DataSpec, preparation: Preparation, root: Path) -> Store | None:
    """Open a folder of prepared records, where the data set itself need not be."""
    folders = [path.parent for path in sorted(root.glob(f"*/{INDEX}"))]
    if not folders:
        return None
    indexes = {folder: store_index.read(folder) for folder in folders}
    fitting = [
        folder
        for folder, index in indexes.items()
        if index and _is_prepared(index, preparation) and _is_of(spec, index["about"])
    ]
    torn = [folder / INDEX for folder, index in indexes.items() if index is None]
    if not fitting and torn:
        raise UserError(
            f"{torn[0]}: is not what was written when the data were prepared; copy the store again "
            "or prepare it anew."
        )
    if len(fitting) != 1:
        raise UserError(
            f"{root}: expected one store with the preparation {preparation}. "
            f"Received: {len(fitting)} of {len(folders)}. Make it with `gliozoo data prepare`."
        )
    ready = Store(fitting[0], indexes[fitting[0]] or {})
    bad = damaged(ready)
    if bad:
        raise UserError(
            f"{fitting[0] / bad[0]}: is not what was written when the data were prepared"
            f"{f' (as are {len(bad) - 1} others)' if bad[1:] else ''}; copy the store again or "
            "prepare it anew."
        )
    return ready


def _is_prepared(index: Mapping[str, Any], preparation: Preparation) -> bool:
    cases = index["cases"]
    needed = preparation.of_scans(case["spacing"] if case["in_mm"] else None for case in cases)
    return index["preparation"] == needed.as_json()


def _is_of(spec: DataSpec, about: Mapping[str, Any]) -> bool:
    return spec.layout in (about["layout"], "phantom") and spec.version in (None, about["version"])
