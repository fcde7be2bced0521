"""`dataset.json` as the Medical Segmentation Decathlon and nnU-Net write it."""

from pathlib import Path
from typing import Any

from data_pipeline.errors import UserError
from data_pipeline.files import whole_files
from data_pipeline.formats import modality

NAME = "dataset.json"
LONGEST = 9  # digits of a number
SHOWN = 80  # characters of an entry in a sentence


def read(root: Path) -> dict[str, Any]:
    """Read it, or say what is wrong with it."""
    path = root / NAME
    try:
        content = whole_files.parsed(whole_files.contents(path))
    except FileNotFoundError:
        raise UserError(f"{path}: is missing; copy it from the data set's source.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: can't be read as JSON ({reason}); mend it.") from error
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


def numbered(entry: dict[str, Any], path: Path) -> dict[int, str]:
    """Read `{"0": "FLAIR"}` (MSD) and `{"FLAIR": 0}` (nnU-Net's labels) alike: number to name."""
    pairs = [
        (key, name) if _first(entry).isdecimal() else (name, key) for key, name in entry.items()
    ]
    if not pairs or not all(_is_number(number) and isinstance(n, str) for number, n in pairs):
        raise UserError(
            f"{path}: expected numbers and their names, such as {{'0': 'FLAIR'}}, received "
            f"{brief(entry)}; mend it."
        )
    return {int(number): name for number, name in sorted(pairs, key=lambda pair: int(pair[0]))}


def channels(content: dict[str, Any], key: str, path: Path) -> tuple[str, ...]:
    """Name the channels in order; they are numbered from 0 without a gap."""
    names = numbered(require(content, key, dict, path), path)
    if sorted(names) != list(range(len(names))):
        raise UserError(
            f"{path}: expected {key} numbered 0, 1, 2, ..., received {brief(names)}; mend it."
        )
    return tuple(modality.canonical(names[number]) for number in sorted(names))


def _first(entry: dict[str, Any]) -> str:
    return next(iter(entry), "")


def _is_number(value: Any) -> bool:
    """Whether a value is a number that a file of labels or channels can have."""
    if isinstance(value, str):
        return value.isascii() and value.isdecimal() and len(value) < LONGEST
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**LONGEST


def brief(value: Any) -> str:
    """Print a value for a sentence, cut where it would fill a page."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def count(content: dict[str, Any], found: int, path: Path) -> None:
    """Refuse a folder that holds another number of cases than `numTraining` announces."""
    announced = content.get("numTraining", found)
    if announced != found:
        raise UserError(
            f"{path}: announces {brief(announced)} training cases, {found} were found; restore the "
            "missing files or mend numTraining."
        )
