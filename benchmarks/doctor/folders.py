"""The folders that runs write to: room, permission, and caches, which can be made anew."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.doctor import finding
from benchmarks.doctor.finding import FINE, NOTE, Finding
from data_pipeline.files import cache_folder, locks, whole_files
from zoo.presets import home

GIB, MIB = 2**30, 2**20
LEAST_ROOM = 2 * GIB
INDEX = "index.json"  # of prepared data


def findings() -> Iterator[Finding]:
    """Look at results, caches and the disks below them."""
    for name, folder, remedy in (
        ("results", Path("results"), "choose another folder with --results"),
        ("prepared data", cache_folder.default(), "set GLIOZOO_CACHE to a folder of yours"),
        ("weights", home.weights(), "set GLIOZOO_HOME to a folder of yours"),
    ):
        found = str(folder.absolute())
        yield finding.of("folders", name, whole_files.writable(folder), found, remedy)
    free = shutil.disk_usage(_there(cache_folder.default())).free
    yield finding.of(
        "folders",
        "disk",
        free >= LEAST_ROOM,
        f"{free / GIB:.1f} GiB free",
        "gliozoo doctor --clean, or set GLIOZOO_CACHE to a larger disk",
        needed=False,
    )
    taken = sum(size_of(path) for path in caches())
    found = f"{taken / MIB:.1f} MiB that can be made or fetched anew"
    remedy = "gliozoo doctor --clean" if taken > GIB else ""
    yield Finding("folders", "caches", NOTE if remedy else FINE, found, remedy)


def caches() -> list[Path]:
    """List what may be removed: stores of prepared data, and fetched weights."""
    stores = _listed(cache_folder.default() / "stores")
    weights = _listed(home.weights() / "fetched")
    return [path for path in stores if _is_store(path)] + [one for one in weights if one.is_file()]


def clean() -> tuple[list[Path], list[Path]]:
    """Remove them; return what is gone, and what is in use or can't be removed."""
    gone: list[Path] = []
    kept: list[Path] = []
    for path in caches():
        with suppress(locks.TakenError, OSError):
            with locks.held(path.with_suffix(".lock"), locks.AT_ONCE):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            path.with_suffix(".lock").unlink(missing_ok=True)
        (kept if path.exists() else gone).append(path)
    return gone, kept


def size_of(path: Path) -> int:
    """Count the bytes of a file, or of a folder's files."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sum(one.lstat().st_size for one in files)


def _is_store(path: Path) -> bool:
    """Tell prepared data of ours from whatever else lies in a folder called `cache`."""
    index = whole_files.read_json(path / INDEX) if path.is_dir() and not path.is_symlink() else None
    return isinstance(index, dict) and {"cases", "key", "preparation"} <= index.keys()


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _there(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())
