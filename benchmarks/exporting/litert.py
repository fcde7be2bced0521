"""LiteRT, once TensorFlow Lite: one file; the facts are a zip behind it, as its metadata are."""

import zipfile
from pathlib import Path
from typing import Any

from benchmarks.backends import lite_programs
from benchmarks.exporting import facts as all_facts

SUFFIX = ".tflite"
NEEDS = ("tensorflow",)
EXTRA, BACKEND = "tensorflow", "tensorflow"
FACTS = "gliozoo.json"


def write(model: Any, path: Path) -> None:
    """Write the network alone."""
    model.export(str(path), format="litert", verbose=False)


def embed(path: Path, facts: dict[str, Any]) -> None:
    """Write the facts behind the network."""
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(FACTS, all_facts.text(facts))


def read(path: Path) -> dict[str, Any] | None:
    """Return the facts of a file; None where it has none of ours."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as file:
        return all_facts.parsed(file.read(FACTS)) if FACTS in file.namelist() else None


def runner(path: Path):
    """Return a function from a batch to its probabilities."""
    return lite_programs.runner(path)
