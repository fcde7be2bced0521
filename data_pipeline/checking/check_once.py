"""The check that comes before everything, not repeated while no file has been touched."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from data_pipeline.cases.case import Dataset
from data_pipeline.checking.check import Progress, examine
from data_pipeline.checking.manifest import SCHEMA, CaseRecord, Manifest
from data_pipeline.files import digests, whole_files


def checked(dataset: Dataset, cache: Path, progress: Progress | None = None) -> Manifest:
    """Check a data set, or take over what an earlier check of the very same files found."""
    where = digests.digest([str(dataset.root.resolve()), dataset.layout, dataset.version])
    path = cache / "checks" / f"{where}.json"
    signature = _signature(dataset)
    known = _known(path, signature)
    if known is not None:
        return Manifest(dataset, known)
    _require_room(path.parent)
    manifest = examine(dataset, progress=progress)
    if not manifest.quarantined and _signature(dataset) == signature:
        found = {"signature": signature, "records": manifest.as_json()["cases"]}
        _note(path, found | {"digest": digests.digest(found, 64)})
    return manifest


def _require_room(folder: Path) -> None:
    """Refuse a folder that takes no file before a data set is read for hours."""
    folder.mkdir(parents=True, exist_ok=True)
    whole_files.write_whole(folder / ".room", b"")
    (folder / ".room").unlink(missing_ok=True)


def _known(path: Path, signature: str) -> tuple[CaseRecord, ...] | None:
    """Read what an earlier check noted; None where it is of other files or not as written."""
    known = whole_files.read_json(path)
    if not isinstance(known, dict) or known.get("signature") != signature:
        return None
    digest = known.pop("digest", None)
    if digests.digest(known, 64) != digest:
        return None
    return tuple(map(_record, known["records"]))


def _note(path: Path, found: dict[str, Any]) -> None:
    """Keep what was found; where that can't be, the next check reads the files again."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write_json(path, found)


def _signature(dataset: Dataset) -> str:
    cases = [
        [case.name, case.patient, case.channels, sorted(case.values.items())]
        + ([case.spacing] if case.spacing else [])
        + [[str(path), digests.stamp(path)] for path in (*case.images, *case.masks)]
        for case in dataset.cases
    ]
    return digests.digest([SCHEMA, dict(dataset.labels), cases], 64)


def _record(values: dict[str, Any]) -> CaseRecord:
    kept = {key: value for key, value in values.items() if key != "status"}
    for key in ("shape", "spacing", "notes", "warnings"):
        kept[key] = None if kept[key] is None else tuple(kept[key])
    return CaseRecord(**kept)
