"""Architectures of installed packages: entry points of the group `gliozoo.architectures`.

They are listed without importing any. A package is known by the SHA-256 of all its Python files.
"""

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import UserError
from zoo.outside import cards
from zoo.outside.origin import BUILD, NAME, Origin, Outside, card_of

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "gliozoo.architectures"


def _points() -> "list[EntryPoint]":
    from importlib import metadata  # a tenth of a second, which a model of the zoo can do without

    return sorted(metadata.entry_points(group=GROUP), key=lambda point: point.name)


def names() -> list[str]:
    """List the names that packages give."""
    return sorted({point.name for point in _points()})


def told() -> dict[str, str]:
    """Return each name with the package and version that gives it."""
    return {point.name: _package(point) for point in _points()}


def find(name: str) -> Outside:
    """Read the source of an entry point, without importing it."""
    points = [point for point in _points() if point.name == name]
    if len({(point.value, _package(point)) for point in points}) != 1:
        given = ", ".join(sorted(_package(point) for point in points))
        raise UserError(f"Several packages give a model {name!r} ({given}): uninstall all but one.")
    (point, *_) = points
    if not NAME.fullmatch(name):
        raise UserError(f"{_package(point)}: {name!r} can't be a model's name; tell its authors.")
    root = _root(point)
    origin = Origin(
        kind="package",
        name=point.dist.name if point.dist else point.module,
        version=point.dist.version if point.dist else None,
        sha256=_digest(root),
    )
    card = card_of(name, _package(point), _card(root, point.module))
    return Outside(name, name, card, origin, point.attr or BUILD, point.module)


def _package(point: "EntryPoint") -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.module


def _root(point: "EntryPoint") -> Path:
    """Find the folder of a package, or its single file, without importing it."""
    top = point.module.partition(".")[0]
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    places = [*(spec.submodule_search_locations or [])] if spec else []
    if spec is None or not (places or spec.origin):
        raise UserError(
            f"The model {point.name!r} of {_package(point)} can't be imported: there is no module "
            f"{top!r}; install the package again."
        )
    return Path(places[0] if places else str(spec.origin))


def _digest(root: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
        name = path.relative_to(root).as_posix() if root.is_dir() else root.name
        total.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _card(root: Path, module: str):
    below = root.joinpath(*module.split(".")[1:]) if root.is_dir() else root
    for path in (below.with_suffix(".py"), below / "__init__.py"):
        if path.is_file():
            return cards.read(path.read_text(encoding="utf-8", errors="replace"), path)
    return None
