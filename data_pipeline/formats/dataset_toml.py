"""`dataset.toml`: a data set described by patterns of its files and the names of its labels."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from data_pipeline.errors import UserError
from data_pipeline.files import whole_files
from data_pipeline.files.listing import patient_of
from data_pipeline.formats import modality

NAME = "dataset.toml"
MASK = "mask"
KEYS = {
    "images": dict,
    "stack": str,
    "slices": str,
    "channels": list,
    "mask": str,
    "patient": str,
    "spacing": list,
    "labels": dict,
    "regions": dict,
}
FORMS: dict[str, Literal["volumes", "stack", "slices"]] = {
    "images": "volumes",
    "stack": "stack",
    "slices": "slices",
}
_HOLES = {"{case}": "case", "{slice}": "slice"}


@dataclass(frozen=True)
class Description:
    """What a `dataset.toml` says; `patterns` by channel, or by `images`, and `mask`."""

    form: Literal["volumes", "stack", "slices"]
    patterns: Mapping[str, str]
    channels: tuple[str, ...]
    labels: Mapping[str, int]
    values: Mapping[int, int]
    regions: Mapping[str, tuple[int, ...]]
    patient: re.Pattern[str] | None
    spacing: tuple[float, float, float] | None

    @property
    def sliced(self) -> bool:
        """Tell whether a case is many files a part."""
        return self.form == "slices"

    @cached_property
    def expressions(self) -> dict[str, re.Pattern[str]]:
        """Return each pattern as a regular expression over a path below the root."""
        return {part: expression(pattern) for part, pattern in self.patterns.items()}

    def part_of(self, path: str) -> tuple[str, re.Match[str]] | None:
        """Say what a file is; where several patterns match, by the one with the most text."""
        found = [
            (len(re.sub(r"\{\w+\}|[*?]", "", self.patterns[part])), part, match)
            for part, one in self.expressions.items()
            if (match := one.fullmatch(path))
        ]
        return max(found, key=lambda each: each[0])[1:] if found else None

    def patient_of(self, case: str) -> str:
        """Name the patient of a case."""
        match = self.patient.fullmatch(case) if self.patient else None
        return match[1] if match else patient_of(case.replace("/", "_"))


def expression(pattern: str) -> re.Pattern[str]:
    """Turn a pattern with {case}, {slice}, `*` and `?` into a regular expression."""
    seen: set[str] = set()
    parts = []
    for piece in re.split(r"(\{case\}|\{slice\}|\*|\?)", pattern):
        hole = _HOLES.get(piece)
        if hole in seen:
            parts.append(f"(?P={hole})")
        elif hole:
            seen.add(hole)
            parts.append(f"(?P<{hole}>{r'[0-9]+' if hole == 'slice' else '[^/]+?'})")
        else:
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(piece) or re.escape(piece))
    return re.compile("".join(parts))


def read(root: Path) -> Description:
    """Read it, or say what is wrong with it."""
    path = root / NAME
    try:
        content = tomllib.loads(whole_files.contents(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: can't be read as TOML ({reason}); mend it.") from error
    try:
        return _of(content)
    except ValueError as error:
        raise UserError(f"{path}: {error}; docs/own.md shows one.") from error


def _of(content: dict[str, Any]) -> Description:
    for key, value in content.items():
        if key not in KEYS:
            raise ValueError(f"has no use for {key!r}; it knows {', '.join(KEYS)}")
        if not isinstance(value, KEYS[key]):
            raise ValueError(f"expected {key} to be a {_WORDS[KEYS[key]]}, received {value!r:.60}")
    forms = [key for key in FORMS if key in content]
    if len(forms) != 1:
        raise ValueError("expected one of [images], stack and slices")
    key = forms[0]
    patterns, channels = _patterns(key, content)
    labels, values = _labels(content.get("labels"))
    if key == "slices" and values != {0: 0, 1: 1}:
        raise ValueError("masks of slices hold one label, such as tumour = 1 (255 is read as 1)")
    return Description(
        form=FORMS[key],
        patterns=patterns,
        channels=channels,
        labels=labels,
        values=values,
        regions=_regions(content.get("regions"), labels),
        patient=_patient(content.get("patient")),
        spacing=_spacing(content.get("spacing")),
    )


_WORDS = {dict: "table", str: "text", list: "list"}


def _patterns(key: str, content: dict[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    if key == "images":
        channels = [modality.canonical(name) for name in content["images"]]
        patterns = dict(zip(channels, content["images"].values(), strict=True))
    else:
        channels = [modality.canonical(name) for name in _texts("channels", content)]
        patterns = {"images": content[key]}
    if not channels or len(set(channels)) < len(channels):
        raise ValueError("expected one or more modalities, each once")
    if "mask" not in content:
        raise ValueError('expected mask, such as mask = "{case}/seg.nii.gz"')
    patterns[MASK] = content["mask"]
    for part, pattern in patterns.items():
        _check(part, pattern, sliced=key == "slices")
    return patterns, tuple(channels)


def _check(part: str, pattern: Any, *, sliced: bool) -> None:
    if not isinstance(pattern, str) or "{case}" not in pattern:
        raise ValueError(f"expected {{case}} in the pattern of {part}, received {pattern!r:.60}")
    if sliced != ("{slice}" in pattern):
        wanted = "with" if sliced else "without"
        raise ValueError(f"expected a pattern of {part} {wanted} {{slice}}, not {pattern!r:.60}")
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise ValueError(f"the pattern of {part} leaves the folder: {pattern!r:.60}")


def _texts(key: str, content: dict[str, Any]) -> list[str]:
    texts = content.get(key, [])
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f'expected {key} as a list of names, such as ["flair"]')
    return texts


def _labels(given: dict[str, Any] | None) -> tuple[dict[str, int], dict[int, int]]:
    """Return label names with the project's values, and a file's values with those."""
    labels, values = {"background": 0}, {0: 0}
    for name, stated in (given or {}).items():
        listed = stated if isinstance(stated, list) else [stated]
        if not listed or not all(type(n) is int and 0 <= n <= 255 for n in listed):
            raise ValueError(f"expected the label {name} as a number from 0 to 255")
        if name == "background":
            values |= dict.fromkeys(listed, 0)
            continue
        if set(listed) & values.keys():
            raise ValueError(f"the label value {listed} stands twice (0 is the background)")
        labels[name] = listed[0]
        values |= dict.fromkeys(listed, listed[0])
    if len(labels) < 2:
        raise ValueError("expected [labels] such as tumour = 1")
    return labels, values


def _regions(given: dict[str, Any] | None, labels: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    if given is None:
        return {name: (value,) for name, value in labels.items() if value}
    regions = {}
    for region, names in given.items():
        if not isinstance(names, list) or not names or not all(n in labels for n in names):
            raise ValueError(f"expected region {region} as a list of labels: {', '.join(labels)}")
        regions[region] = tuple(sorted(labels[name] for name in names))
    if not regions:
        raise ValueError("expected a region, or no [regions] at all")
    return regions


def _patient(text: str | None) -> re.Pattern[str] | None:
    try:
        found = re.compile(text) if text else None
    except re.error as error:
        raise ValueError(f"patient is no regular expression ({error})") from error
    if found and not found.groups:
        raise ValueError("expected patient with a group, such as '(P[0-9]+)_.*'")
    return found


def _spacing(given: list | None) -> tuple[float, float, float] | None:
    if given is None:
        return None
    fits = len(given) == 3 and all(type(n) in (int, float) and 0 < n < 1000 for n in given)
    if not fits:
        raise ValueError("expected spacing as three millimetres: slice distance, row, column")
    depth, height, width = map(float, given)
    return depth, height, width
