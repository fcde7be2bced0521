"""`dataset.json` as the Medical Segmentation Decathlon and nnU-Net write it."""

import json
from pathlib import Path
from typing import Any

from data_pipeline.errors import UserError

NAME = "dataset.json"


def read(root: Path) -> dict[str, Any]:
    """Read it, or say what is wrong with it."""
    path = root / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UserError(f"{path}: is missing; copy it from the data set's source.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: can't be read as JSON ({error}); mend it.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a JSON object; mend it.")
    return content


def peek(root: Path) -> dict[str, Any]:
    """Read it where it is there and sound; else nothing, for a detection that must not fail."""
    try:
        return read(root)
    except UserError:
        return {}


def require(content: dict[str, Any], key: str, kind: type, path: Path) -> Any:
    """Give an entry of the expected type."""
    value = content.get(key)
    if not isinstance(value, kind):
        raise UserError(f"{path}: expected an entry {key!r} ({kind.__name__}); mend it.")
    return value


def numbered(entry: dict[str, Any]) -> dict[int, str]:
    """Read `{"0": "FLAIR"}` (MSD) and `{"FLAIR": 0}` (nnU-Net's labels) alike: number to name."""
    if all(str(key).isdigit() for key in entry):
        return {int(key): str(name) for key, name in sorted(entry.items(), key=lambda i: int(i[0]))}
    return {int(number): name for name, number in entry.items()}


def count(content: dict[str, Any], found: int, path: Path) -> None:
    """Refuse a folder that holds another number of cases than `numTraining` announces."""
    announced = content.get("numTraining", found)
    if announced != found:
        raise UserError(
            f"{path}: announces {announced} training cases, {found} were found; restore the "
            "missing files or mend numTraining."
        )
