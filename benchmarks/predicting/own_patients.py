"""The patients of a run, again: the data of its fold, as its network takes them."""

from dataclasses import dataclass
from pathlib import Path

import data_pipeline
from benchmarks.errors import UserError
from benchmarks.predicting import trained_network
from benchmarks.predicting.trained_network import Trained
from benchmarks.records import record, result_paths
from benchmarks.records.record import Record
from data_pipeline import Data
from zoo import weights


@dataclass(frozen=True)
class Place:
    """Where the data of a run lie on this machine."""

    data: Path | str | None
    version: str | None = None
    cache: Path | str | None = None
    threads: int | None = None


def weights_of(one: Record, results: Path | str) -> Path:
    """Return the weights of a run of this machine, and refuse others under its name."""
    path = result_paths.run_folder(record.path_of(one, results)) / trained_network.WEIGHTS
    if not path.is_file():
        raise UserError(
            f"{path} is missing: a record alone can't be asked. Repeat its run with --force: "
            f"{one.command}"
        )
    if weights.header(path).sha256 != one.training.get("weights_sha256"):
        raise UserError(f"{path} holds other weights than those of its record: repeat the run.")
    return path


def load(one: Record, trained: Trained, place: Place) -> Data:
    """Load the fold of a run."""
    data = data_pipeline.load(
        trained.spec,
        int(one.run["seed"]),
        int(one.run["fold"]),
        root=place.data,
        cache=place.cache,
        version=place.version,
        threads=place.threads,
    )
    if data.split_digest != one.data["split_digest"]:
        raise UserError(
            f"{place.data or 'the phantoms'}: other patients than those of {one.name}; name "
            "the data of its run with --data."
        )
    return data.in_range(trained.value_range)
