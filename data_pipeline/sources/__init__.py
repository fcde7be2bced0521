"""The data-set layouts. The folder is the registry: one file, one layout.

Installed packages add to it by entry points of the group `gliozoo.layouts`, each such a module.

A source has `TITLE`, `VERSIONS` (what may be stated), `detect(root) -> str | None` (the evidence,
in words, that the folder has this layout) and `find(root, version=None) -> Dataset`.
"""

import difflib
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from data_pipeline.cases.case import Dataset
from data_pipeline.errors import UserError
from data_pipeline.formats import dataset_json, dataset_toml

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "gliozoo.layouts"
WANTED = ("TITLE", "VERSIONS", "detect", "find")


def own() -> list[str]:
    """List the layouts of the folder without importing any."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def names() -> list[str]:
    """List all layouts, those of packages too, without importing any."""
    return sorted({*own(), *(point.name for point in _points())})


def _points() -> "list[EntryPoint]":
    from importlib import metadata  # a tenth of a second, which most can do without

    return list(metadata.entry_points(group=GROUP))


def load(layout: str) -> ModuleType:
    """Import one source by its name."""
    if layout not in names():
        close = difflib.get_close_matches(layout, names(), 1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise UserError(f"There is no layout {layout!r}; there are {', '.join(names())}.{hint}")
    if layout in own():
        return importlib.import_module(f"{__name__}.{layout}")
    return _of_package(layout)


def _of_package(layout: str) -> ModuleType:
    (point, *others) = [point for point in _points() if point.name == layout]
    if others:
        raise UserError(f"Several packages give a layout {layout!r}: uninstall all but one.")
    try:
        found = point.load()
    except Exception as error:
        raise UserError(
            f"The layout {layout!r} ({point.value}) can't be imported: {type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]}; install its package again."
        ) from error
    lacking = [name for name in WANTED if not hasattr(found, name)]
    if lacking:
        raise UserError(
            f"The layout {layout!r} ({point.value}) has no {lacking[0]}; data_pipeline/sources/"
            "msd.py is the one to follow."
        )
    return found


def detect(root: Path) -> str:
    """Name the one layout that a folder has, or say which it could be and how to choose."""
    if not root.is_dir():
        raise UserError(f"{root}: expected the folder of a data set; there is none.")
    if (root / dataset_toml.NAME).is_file():
        return "described"  # somebody says what is here, where the others have to conclude it
    evidence = {name: load(name).detect(root) for name in names()}
    found = {name: why for name, why in evidence.items() if why}
    if "phantom" in found:
        return "phantom"  # its marker states the layout, where the others have to conclude it
    if len(found) == 1:
        return next(iter(found))
    if found:
        options = "; ".join(f"{name}, by {why}" for name, why in found.items())
        raise UserError(f"{root}: more than one layout fits ({options}): choose with --layout.")
    if (root / dataset_json.NAME).exists():
        dataset_json.read(root)  # a damaged one explains it, and is told instead
    raise UserError(
        f"{root}: no known layout is here; expected kaggle_3m folders (lgg), BraTS case folders "
        "(brats), dataset.json beside imagesTr and labelsTr (msd, nnunet), or a dataset.toml "
        "(`gliozoo new dataset FOLDER`)."
    )


def find(root: str | Path, layout: str | None = None, version: str | None = None) -> Dataset:
    """Find the cases under a folder, its layout detected unless it is given."""
    root = Path(root)
    if layout and (Path(layout) / dataset_toml.NAME).is_file():
        from data_pipeline.sources import described

        return described.find(root, place=Path(layout))
    name = layout or detect(root)
    if not root.is_dir():
        raise UserError(f"{root}: expected the folder of a data set; there is none.")
    source = load(name)
    if version and version not in source.VERSIONS:
        known = ", ".join(source.VERSIONS) or "none"
        raise UserError(f"{root}: {name} has no version {version!r}; there are: {known}.")
    return source.find(root, version)
