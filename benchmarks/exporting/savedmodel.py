"""TensorFlow's SavedModel: a folder, run by TensorFlow alone; the facts lie in `assets.extra`."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.exporting import facts as all_facts

SUFFIX = ""
NEEDS = ("tensorflow",)
EXTRA, BACKEND = "tensorflow", "tensorflow"
FACTS = Path("assets.extra") / "gliozoo.json"


def write(model: Any, path: Path) -> None:
    """Write the network alone."""
    model.export(str(path), format="tf_saved_model", verbose=False)


def embed(path: Path, facts: dict[str, Any]) -> None:
    """Write the facts into the folder."""
    (path / FACTS).parent.mkdir(exist_ok=True)
    (path / FACTS).write_text(all_facts.text(facts), encoding="utf-8")


def read(path: Path) -> dict[str, Any] | None:
    """Return the facts of a folder; None where it has none of ours."""
    place = path / FACTS
    return all_facts.parsed(place.read_text(encoding="utf-8")) if place.is_file() else None


def runner(path: Path):
    """Return a function from a batch to its probabilities."""
    import keras

    network = keras.layers.TFSMLayer(str(path), call_endpoint="serve")
    return lambda batch: np.asarray(network(batch))
