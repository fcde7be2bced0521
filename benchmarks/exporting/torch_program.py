"""A program of torch.export: one file, run by torch alone; the facts are one of its extra files."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.exporting import facts as all_facts
from benchmarks.machine import optional_packages

SUFFIX = ".pt2"
NEEDS = ("torch",)
EXTRA, BACKEND = "torch", "torch"
FACTS = "gliozoo.json"


def write(model: Any, path: Path) -> None:
    """Write the network alone."""
    model.export(str(path), format="torch", verbose=False)


def embed(path: Path, facts: dict[str, Any]) -> None:
    """Write the facts into the file."""
    torch = _torch()
    program = torch.export.load(str(path))
    torch.export.save(program, str(path), extra_files={FACTS: all_facts.text(facts)})


def read(path: Path) -> dict[str, Any] | None:
    """Return the facts of a file; None where it has none of ours."""
    found = {FACTS: ""}
    _torch().export.load(str(path), extra_files=found)
    return all_facts.parsed(found[FACTS])


def runner(path: Path):
    """Return a function from a batch to its probabilities; a program takes one sample at a time."""
    torch = _torch()
    network = torch.export.load(str(path)).module()

    def one(sample: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            answer = network(torch.from_numpy(sample[None]))
        return (answer[0] if isinstance(answer, (list, tuple)) else answer).numpy()

    return lambda batch: np.concatenate([one(sample) for sample in batch])


def _torch():
    return optional_packages.require("torch", "--format torch", EXTRA)
