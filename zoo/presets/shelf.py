"""Presets by name: those that are shipped, and those that this user has added."""

from pathlib import Path

from zoo.errors import UserError
from zoo.presets import fetching, home, manifest
from zoo.presets.preset import File, Preset
from zoo.registry import choose

SHIPPED = Path(__file__).parent / "files"


def presets() -> dict[str, Preset]:
    """Return all presets by name; one that the user added stands before a shipped one."""
    return dict(sorted({**manifest.read(SHIPPED), **manifest.read(home.weights())}.items()))


def find(name: str) -> Preset:
    """Return a preset; of one that is not there, say the closest name."""
    known = presets()
    if not known:
        raise UserError(
            f"Unknown preset {name!r}: there are none yet; `gliozoo weights add` makes one."
        )
    return known[choose(name, known, "preset")]


def paths(name: str, *, offline: bool | None = None) -> list[Path]:
    """Return a preset's weights files, each verified, fetched first where it is not here."""
    preset = find(name)
    return [path_of(preset, file, offline=offline) for file in preset.files]


def path_of(preset: Preset, file: File, *, offline: bool | None = None) -> Path:
    """Return where a file lies once it is here and what the manifest says."""
    for folder in (home.weights(), SHIPPED, home.weights() / fetching.FOLDER):
        path = folder / file.file
        if path.is_file():
            fetching.verify(path, file)
            return path
    return fetching.fetch(file, preset.name, home.weights() / fetching.FOLDER, offline=offline)
