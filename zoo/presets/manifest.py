"""The manifest of presets, a TOML file: read with suspicion, written whole."""

import json
import os
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zoo.errors import UserError
from zoo.presets.preset import Preset

FILE = "manifest.toml"
HEAD = "# Trained weights by name, written by `gliozoo weights add`; see docs/weights.md.\n"


def read(folder: Path) -> dict[str, Preset]:
    """Read the presets of a folder by name; none where it has no manifest."""
    path = folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{path}: can't be read as TOML ({reason}); fetch or write it anew."
        ) from error
    found = {}
    for values in content.get("preset", []):
        try:
            preset = Preset.of(values)
        except UserError as error:
            name = str(values.get("name", "a preset without a name"))[:60]
            raise UserError(f"{path}: {name}: {error}; mend the manifest.") from error
        found[preset.name] = preset
    return found


def write(folder: Path, presets: Iterable[Preset]) -> None:
    """Write a folder's manifest, sorted by name."""
    text = HEAD + "".join(map(_table, sorted(presets, key=lambda preset: preset.name)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(dir=folder, prefix=f".{FILE}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(aside, 0o644)
            os.replace(aside, folder / FILE)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"Cannot write {folder / FILE}: {error.strerror or error}; set GLIOZOO_HOME to a "
            "folder of yours."
        ) from error


def _table(preset: Preset) -> str:
    lines = [f"{name} = {_value(value)}" for name, value in preset.as_json().items()]
    return "\n[[preset]]\n" + "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """Write a value as TOML does: its strings are JSON's, its tables are not."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], dict):
            return "[\n" + "".join(f"  {_value(one)},\n" for one in value) + "]"
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)
